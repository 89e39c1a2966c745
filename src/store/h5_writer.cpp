#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "core/error.hpp"
#include "store/h5.hpp"
#include "store/h5_support.hpp"

namespace cohort::h5 {

namespace {

// Files are little-endian wherever they are written.
hid_t file_type_of(hid_t memory_type) {
  if (H5Tequal(memory_type, H5T_NATIVE_INT32) > 0) return H5T_STD_I32LE;
  if (H5Tequal(memory_type, H5T_NATIVE_INT64) > 0) return H5T_STD_I64LE;
  if (H5Tequal(memory_type, H5T_NATIVE_FLOAT) > 0) return H5T_IEEE_F32LE;
  if (H5Tequal(memory_type, H5T_NATIVE_DOUBLE) > 0) return H5T_IEEE_F64LE;
  return memory_type;
}

Handle fixed_string_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), std::max<std::size_t>(1, length));
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

std::string temporary_name(const Communicator& comm, const std::string& path) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  char suffix[64];
  std::snprintf(suffix, sizeof(suffix), ".tmp.%lx%lx", static_cast<unsigned long>(::getpid()),
                static_cast<unsigned long>(now));
  return comm.broadcast(path + suffix);
}

// Asks the file system for the room before ranks write into it together: MPI-IO may hang or crash where a write fails
// on some ranks only.
void reserve(const std::string& path, const std::string& final_path, std::int64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) throw RunError("cannot write " + final_path + ": " + std::strerror(errno));
  int error = ::fallocate(descriptor, 0, 0, bytes) == 0 ? 0 : errno;
  if (error == EOPNOTSUPP || error == ENOSYS || error == EINTR) {
    struct statvfs system {};
    struct stat file {};
    error = 0;
    if (::fstatvfs(descriptor, &system) == 0 && ::fstat(descriptor, &file) == 0) {
      const auto free_bytes = static_cast<double>(system.f_bavail) * static_cast<double>(system.f_frsize);
      if (static_cast<double>(bytes) - static_cast<double>(file.st_size) > free_bytes) error = ENOSPC;
    }
  }
  ::close(descriptor);
  if (error != 0) {
    throw RunError("cannot write " + final_path + ": " + std::strerror(error) + "; " + std::to_string(bytes) +
                   " bytes are needed");
  }
}

}  // namespace

Writer::Writer(const Communicator& comm, std::string path)
    : comm_(comm), path_(std::move(path)), temporary_(temporary_name(comm, path_)) {
  silence_errors();
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    const int descriptor = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) throw InputError("cannot write " + path_ + ": " + std::strerror(errno));
    ::close(descriptor);
  });
  Handle creation(H5Pcreate(H5P_FILE_CREATE));
  file_ = Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, creation.get(), parallel_access(comm_).get()));
  if (!file_ && comm_.is_root()) ::unlink(temporary_.c_str());
  agree(static_cast<bool>(file_), "creating the file");
}

Writer::~Writer() {
  if (committed_) return;
  file_.reset();
  if (comm_.is_root()) ::unlink(temporary_.c_str());
}

void Writer::agree(bool ok, const std::string& what) {
  const auto reason = ok ? std::string() : last_error();
  comm_.attempt([&] {
    if (!ok) {
      throw RunError("cannot write " + path_ + ": " + what + " failed" + (reason.empty() ? "" : " (" + reason + ")") +
                     "; is there room on the file system?");
    }
  });
}

void Writer::write_attribute(const std::string& name, hid_t type, const void* values, std::int64_t count) {
  const auto size = static_cast<hsize_t>(count);
  const Handle space(count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr));
  const Handle attribute(H5Acreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  agree(attribute && (count == 0 || H5Awrite(attribute.get(), type, values) >= 0), "attribute " + name);
}

void Writer::attribute(const std::string& name, std::string_view text) {
  const std::string terminated(text);
  const char* value = terminated.c_str();
  write_attribute(name, text_type().get(), &value, 1);
}

void Writer::attribute(const std::string& name, std::int64_t number) {
  write_attribute(name, H5T_NATIVE_INT64, &number, 1);
}

void Writer::attribute(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<const char*> values;
  for (const auto& text : texts) values.push_back(text.c_str());
  write_attribute(name, text_type().get(), values.data(), std::ssize(values));
}

void Writer::attribute(const std::string& name, const std::vector<std::int64_t>& numbers) {
  write_attribute(name, H5T_NATIVE_INT64, numbers.data(), std::ssize(numbers));
}

void Writer::real_attribute(const std::string& name, double number) {
  write_attribute(name, H5T_NATIVE_DOUBLE, &number, 1);
}

void Writer::write_rows(const std::string& name, hid_t memory_type, std::size_t row_bytes, std::int64_t columns,
                        std::int64_t count, const Pack& pack) {
  const std::int64_t total = comm_.sum(count);
  const std::int64_t begin = comm_.exclusive_sum(count);
  const std::array<hsize_t, 2> shape{static_cast<hsize_t>(total), static_cast<hsize_t>(columns)};
  const Handle space(H5Screate_simple(columns > 0 ? 2 : 1, shape.data(), nullptr));
  const Handle links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.get(), 1);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  const Handle dataset(H5Dcreate2(file_.get(), name.c_str(), file_type_of(memory_type), space.get(), links.get(),
                                  creation.get(), H5P_DEFAULT));
  agree(static_cast<bool>(dataset), name);
  if (total == 0) return;
  constexpr std::int64_t metadata_bytes = std::int64_t{1} << 18;
  const auto end = static_cast<std::int64_t>(H5Dget_offset(dataset.get()) + H5Dget_storage_size(dataset.get()));
  comm_.attempt([&] {
    if (comm_.is_root()) reserve(temporary_, path_, end + metadata_bytes);
  });

  const auto rows_per_round = std::max<std::int64_t>(1, transfer_bytes / static_cast<std::int64_t>(row_bytes));
  const auto transfer = collective_transfer();
  std::vector<char> buffer;
  bool ok = true;
  const std::int64_t rounds = transfer_rounds(comm_, count, rows_per_round);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t first = std::min(count, round * rows_per_round);
    const std::int64_t now = std::min(rows_per_round, count - first);
    const void* data = nullptr;
    comm_.attempt([&] { data = pack(first, now, buffer); });
    select_rows(space.get(), begin + first, now, columns);
    const auto memory = packed_space(now, columns);
    ok = H5Dwrite(dataset.get(), memory_type, memory.get(), space.get(), transfer.get(), data) >= 0 && ok;
  }
  agree(ok, name);
}

void Writer::rows(const std::string& name, ConstMatrixView mine) {
  const auto row_bytes = static_cast<std::size_t>(mine.columns) * sizeof(float);
  write_rows(name, H5T_NATIVE_FLOAT, row_bytes, mine.columns, mine.rows,
             [&](std::int64_t first, std::int64_t count, std::vector<char>& buffer) -> const void* {
               if (mine.stride == mine.columns) return mine.row(first);
               buffer.resize(static_cast<std::size_t>(count) * row_bytes);
               for (std::int64_t i = 0; i < count; ++i) {
                 std::memcpy(buffer.data() + static_cast<std::size_t>(i) * row_bytes, mine.row(first + i), row_bytes);
               }
               return buffer.data();
             });
}

void Writer::strings(const std::string& name, std::int64_t count,
                     const std::function<std::string_view(std::int64_t)>& at) {
  std::size_t length = 1;
  for (std::int64_t i = 0; i < count; ++i) length = std::max(length, at(i).size());
  length = comm_.max(length);
  write_rows(name, fixed_string_type(length).get(), length, 0, count,
             [&](std::int64_t first, std::int64_t now, std::vector<char>& buffer) -> const void* {
               buffer.assign(static_cast<std::size_t>(now) * length, '\0');
               for (std::int64_t i = 0; i < now; ++i) {
                 const auto text = at(first + i);
                 std::copy(text.begin(), text.end(), buffer.begin() + i * static_cast<std::ptrdiff_t>(length));
               }
               return buffer.data();
             });
}

void Writer::commit() {
  agree(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) >= 0, "flushing");
  agree(H5Fclose(file_.release()) >= 0, "closing");
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
      throw RunError("cannot rename " + temporary_ + " to " + path_ + ": " + std::strerror(errno));
    }
  });
  committed_ = true;
}

}  // namespace cohort::h5
