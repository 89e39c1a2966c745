// Arrays of features in HDF5 files that others have written: each rank reads its part alone.
#include <hdf5.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/file_call.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/features/array_file.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block_entries = std::int64_t{1} << 17;

// An id of HDF5, closed in the end.
class H5Id {
 public:
  H5Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~H5Id() {
    if (id_ >= 0) close_(id_);
  }
  H5Id(const H5Id&) = delete;
  H5Id& operator=(const H5Id&) = delete;
  hid_t get() const { return id_; }
  bool good() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

bool is_there(hid_t place, const std::string& name) {
  return H5Lexists(place, name.c_str(), H5P_DEFAULT) > 0;
}

// Of a dataset or an attribute.
std::vector<std::int64_t> shape_of(hid_t space) {
  const int dimensions = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> sizes(std::max(0, dimensions));
  if (dimensions > 0) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

class NumberSet {
 public:
  NumberSet(hid_t place, const std::string& name, std::string what, std::size_t dimensions)
      : what_(std::move(what)),
        set_(H5Dopen2(place, name.c_str(), H5P_DEFAULT), H5Dclose),
        space_(set_.good() ? H5Dget_space(set_.get()) : -1, H5Sclose),
        type_(set_.good() ? H5Dget_type(set_.get()) : -1, H5Tclose) {
    if (!set_.good() || !space_.good() || !type_.good()) {
      throw InputError(what_ + ": is no dataset that can be read; it is missing or damaged");
    }
    const auto kind = H5Tget_class(type_.get());
    if (kind != H5T_INTEGER && kind != H5T_FLOAT && kind != H5T_ENUM) {
      throw InputError(what_ + ": its entries are no numbers; write numbers, for example with .astype(\"float32\")");
    }
    whole_ = kind != H5T_FLOAT;
    shape_ = shape_of(space_.get());
    if (shape_.size() != dimensions) {
      throw InputError(what_ + ": has " + counted(std::ssize(shape_), "dimension") + ", where " +
                       std::to_string(dimensions) + (dimensions == 2 ? " (rows and columns)" : "") + " are needed");
    }
  }

  const std::vector<std::int64_t>& shape() const { return shape_; }
  bool whole() const { return whole_; }

  /// Rows [first, first + count), all columns, into `values`.
  template <class T>
  void read(std::int64_t first, std::int64_t count, T* values, hid_t type) const {
    if (count == 0) return;
    std::vector<hsize_t> start(shape_.size(), 0);
    std::vector<hsize_t> size(shape_.begin(), shape_.end());
    start[0] = static_cast<hsize_t>(first);
    size[0] = static_cast<hsize_t>(count);
    const H5Id memory(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr), H5Sclose);
    const FileCall call("H5Dread", what_);
    if (first < 0 || first + count > shape_[0] || !memory.good() ||
        H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0 ||
        H5Dread(set_.get(), type, memory.get(), space_.get(), H5P_DEFAULT, values) < 0) {
      throw InputError(what_ + ": cannot be read; the file is damaged or truncated, or compressed in a way that this " +
                       "HDF5 does not know");
    }
  }

 private:
  std::string what_;
  H5Id set_;
  H5Id space_;
  H5Id type_;
  bool whole_ = false;
  std::vector<std::int64_t> shape_;
};

class GroupArrays final : public SparseArrays {
 public:
  GroupArrays(hid_t group, std::string what) : group_(group), what_(std::move(what)) {}

  std::int64_t size(const std::string& name) override { return open(name).shape()[0]; }
  std::vector<std::int64_t> integers(const std::string& name, std::int64_t first, std::int64_t count) override {
    const NumberSet set = open(name);
    if (!set.whole()) throw InputError(what_ + "/" + name + ": holds no integers");
    std::vector<std::int64_t> values(count);
    set.read(first, count, values.data(), H5T_NATIVE_INT64);
    return values;
  }
  std::vector<double> numbers(const std::string& name, std::int64_t first, std::int64_t count) override {
    std::vector<double> values(count);
    open(name).read(first, count, values.data(), H5T_NATIVE_DOUBLE);
    return values;
  }

 private:
  NumberSet open(const std::string& name) const { return NumberSet(group_, name, what_ + "/" + name, 1); }

  hid_t group_;
  std::string what_;
};

bool is_sparse(hid_t file, const std::string& name) {
  const H5Id group(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose);
  return group.good() && H5Iget_type(group.get()) == H5I_GROUP &&
         std::ranges::all_of(std::array{"data", "indices", "indptr"},
                             [&](const char* part) { return is_there(group.get(), part); });
}

// Numbers of an attribute or a dataset of a group; empty: there is none.
std::vector<std::int64_t> shape_in(hid_t group) {
  std::array<std::int64_t, 2> shape{};
  for (const char* name : {"shape", "h5sparse_shape"}) {
    if (H5Aexists(group, name) > 0) {
      const H5Id attribute(H5Aopen(group, name, H5P_DEFAULT), H5Aclose);
      const H5Id space(attribute.good() ? H5Aget_space(attribute.get()) : -1, H5Sclose);
      if (space.good() && shape_of(space.get()) == std::vector<std::int64_t>{2} &&
          H5Aread(attribute.get(), H5T_NATIVE_INT64, shape.data()) >= 0) {
        return {shape.begin(), shape.end()};
      }
    }
  }
  if (!is_there(group, "shape")) return {};
  const NumberSet set(group, "shape", "shape", 1);
  if (set.shape()[0] != 2 || !set.whole()) return {};
  set.read(0, 2, shape.data(), H5T_NATIVE_INT64);
  return {shape.begin(), shape.end()};
}

// "csr" or "csc", as attributes of the group say it; empty: they do not.
std::string format_in(hid_t group) {
  for (const char* name : {"encoding-type", "h5sparse_format", "format"}) {
    if (H5Aexists(group, name) <= 0) continue;
    const H5Id attribute(H5Aopen(group, name, H5P_DEFAULT), H5Aclose);
    const H5Id type(attribute.good() ? H5Aget_type(attribute.get()) : -1, H5Tclose);
    const H5Id space(attribute.good() ? H5Aget_space(attribute.get()) : -1, H5Sclose);
    if (!type.good() || !space.good() || H5Tget_class(type.get()) != H5T_STRING ||
        H5Sget_simple_extent_npoints(space.get()) != 1) {
      continue;
    }
    std::string text;
    if (H5Tis_variable_str(type.get()) > 0) {
      char* value = nullptr;
      if (H5Aread(attribute.get(), type.get(), &value) >= 0 && value != nullptr) text = value;
      H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, &value);
    } else {
      text.resize(H5Tget_size(type.get()));
      H5Aread(attribute.get(), type.get(), text.data());
    }
    return text.substr(0, 3);
  }
  return "";
}

ArrayEntries read_group(hid_t file, const std::string& name, const std::string& what, const FilePart& part) {
  const H5Id group(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose);
  const auto shape = shape_in(group.get());
  if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0) {
    throw InputError(what + ": a sparse matrix needs its shape, as an attribute \"shape\" of two integers");
  }
  GroupArrays arrays(group.get(), what);
  auto format = format_in(group.get());
  // Unnamed, it is by rows where its offsets are as many.
  if (format.empty()) format = arrays.size("indptr") == shape[0] + 1 ? "csr" : "csc";
  return read_sparse(arrays, format, shape[0], shape[1], part, what);
}

ArrayEntries read_set(hid_t file, const std::string& name, const std::string& what, const FilePart& part) {
  const NumberSet set(file, name, what, 2);
  ArrayEntries found;
  found.begin(set.shape()[0], set.shape()[1], part, what);
  found.dense = true;
  const auto [first, last] = part.of(found.rows);
  const auto most = std::max<std::int64_t>(1, block_entries / found.columns);
  std::vector<double> values(std::min(most, last - first) * found.columns);
  for (auto row = first; row < last; row += most) {
    const auto count = std::min(most, last - row);
    set.read(row, count, values.data(), H5T_NATIVE_DOUBLE);
    for (std::int64_t i = 0; i < count * found.columns; ++i) {
      found.add(row + i / found.columns, i % found.columns, values[i], what);
    }
  }
  return found;
}

struct Found {
  hid_t file;
  std::vector<std::string> names;
};

// Remembers what may be an array of features.
herr_t look_at(hid_t /*root*/, const char* name, const H5O_info_t* info, void* into) {
  auto& found = *static_cast<Found*>(into);
  if (info->type == H5O_TYPE_GROUP && is_sparse(found.file, name)) found.names.emplace_back(name);
  if (info->type == H5O_TYPE_DATASET) {
    const H5Id set(H5Dopen2(found.file, name, H5P_DEFAULT), H5Dclose);
    const H5Id space(set.good() ? H5Dget_space(set.get()) : -1, H5Sclose);
    const H5Id type(set.good() ? H5Dget_type(set.get()) : -1, H5Tclose);
    const auto kind = type.good() ? H5Tget_class(type.get()) : H5T_NO_CLASS;
    const bool numbers = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
    if (numbers && space.good() && H5Sget_simple_extent_ndims(space.get()) == 2) found.names.emplace_back(name);
  }
  return 0;
}

std::string only_array(hid_t file, const std::string& path) {
  Found found{file, {}};
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, look_at, &found);
  if (found.names.size() == 1) return found.names.front();
  std::string names;
  for (std::size_t i = 0; i < std::min<std::size_t>(found.names.size(), 8); ++i) {
    names += (i == 0 ? "" : ", ") + quoted(found.names[i]);
  }
  throw InputError(path + ": holds " + counted(std::ssize(found.names), "array") + " that may be features" +
                   (names.empty() ? "" : " (" + names + ")") + "; name one as " + path + ":DATASET");
}

}  // namespace

ArrayEntries read_hdf5_array(const std::string& path, const std::string& dataset, const FilePart& part) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // what goes wrong is said below
  const H5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.good()) {
    throw InputError(path + ": cannot be opened as an HDF5 file; it is damaged or truncated, or somebody writes it");
  }
  const auto name = dataset.empty() ? only_array(file.get(), path) : dataset;
  const auto what = path + ":" + name;
  const H5Id object(H5Oopen(file.get(), name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.good()) throw InputError(path + ": has no dataset or group " + quoted(name));
  if (is_sparse(file.get(), name)) return read_group(file.get(), name, what, part);
  return read_set(file.get(), name, what, part);
}

}  // namespace cohort
