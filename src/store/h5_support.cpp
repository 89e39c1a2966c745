#include "store/h5_support.hpp"

#include <algorithm>
#include <array>

namespace cohort::h5 {

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = other.id_;
    other.id_ = H5I_INVALID_HID;
  }
  return *this;
}

void Handle::reset() {
  if (id_ >= 0) H5Idec_ref(id_);
  id_ = H5I_INVALID_HID;
}

hid_t Handle::release() {
  const hid_t id = id_;
  id_ = H5I_INVALID_HID;
  return id;
}

void silence_errors() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string last_error() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* error, void* data) -> herr_t {
        if (depth == 0 && error->desc) *static_cast<std::string*>(data) = error->desc;
        return 0;
      },
      &text);
  return text;
}

Handle parallel_access(const Communicator& comm) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_mpio(access.get(), comm.native(), MPI_INFO_NULL);
  H5Pset_all_coll_metadata_ops(access.get(), true);
  H5Pset_coll_metadata_write(access.get(), true);
  // From 1.8 on, attributes may be larger than 64 KiB (a configuration with thousands of input files).
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  return access;
}

Handle collective_transfer() {
  Handle transfer(H5Pcreate(H5P_DATASET_XFER));
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  return transfer;
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

std::int64_t transfer_rounds(const Communicator& comm, std::int64_t count, std::int64_t rows_per_round) {
  return comm.max((count + rows_per_round - 1) / rows_per_round);
}

void select_rows(hid_t space, std::int64_t first, std::int64_t count, std::int64_t columns) {
  if (count == 0) {
    H5Sselect_none(space);
    return;
  }
  const std::array<hsize_t, 2> start{static_cast<hsize_t>(first), 0};
  const std::array<hsize_t, 2> size{static_cast<hsize_t>(count), static_cast<hsize_t>(columns)};
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr);
}

Handle packed_space(std::int64_t count, std::int64_t columns) {
  const auto values = static_cast<hsize_t>(count * std::max<std::int64_t>(1, columns));
  Handle space(H5Screate_simple(1, &values, nullptr));
  if (count == 0) H5Sselect_none(space.get());
  return space;
}

}  // namespace cohort::h5
