#include "store/file_bytes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.hpp"
#include "core/file_call.hpp"

namespace cohort {

namespace {

// Linux moves at most 2 GiB at a time.
constexpr std::int64_t largest_transfer = std::int64_t{1} << 30;

[[noreturn]] void cannot_read(const std::string& path, int error) {
  throw InputError("cannot read " + path + ": " + std::strerror(error));
}

[[noreturn]] void cannot_write(const std::string& path, int error) {
  throw RunError("cannot write " + path + ": " + std::strerror(error));
}

}  // namespace

FileBytes::~FileBytes() {
  close();
}

void FileBytes::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void FileBytes::open_to_read(const std::string& path) {
  close();
  path_ = path;
  const FileCall call("open", path_);
  // A pipe would block here until somebody writes.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) cannot_read(path, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) cannot_read(path, errno);
  if (!S_ISREG(status.st_mode)) throw InputError(path + " is not a file");
}

void FileBytes::open_to_write(const std::string& path, const std::string& name) {
  close();
  path_ = name;
  const FileCall call("open", path_);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) cannot_write(path_, errno);
}

void FileBytes::open_in_memory(const std::string& name, std::int64_t bytes) {
  close();
  path_ = name;
  descriptor_ = ::memfd_create("cohort-structure", MFD_CLOEXEC);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, bytes) != 0) cannot_write(path_, errno);
}

std::string FileBytes::own_path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

std::int64_t FileBytes::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) cannot_read(path_, errno);
  return status.st_size;
}

void FileBytes::read(std::int64_t offset, std::int64_t bytes, char* into) const {
  while (bytes > 0) {
    const FileCall call("pread", path_);
    const auto got = ::pread(descriptor_, into, static_cast<std::size_t>(std::min(bytes, largest_transfer)), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(path_, errno);
    if (got == 0) throw InputError(path_ + " is damaged: it was cut short; put back a copy, or make it again");
    into += got;
    offset += got;
    bytes -= got;
  }
}

void FileBytes::write(std::int64_t offset, std::int64_t bytes, const char* from) const {
  while (bytes > 0) {
    const FileCall call("pwrite", path_);
    const auto put = ::pwrite(descriptor_, from, static_cast<std::size_t>(std::min(bytes, largest_transfer)), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) cannot_write(path_, put < 0 ? errno : ENOSPC);
    from += put;
    offset += put;
    bytes -= put;
  }
}

void FileBytes::reserve(std::int64_t bytes) const {
  const FileCall call("fallocate", path_);
  int error = 0;
  do {
    error = ::fallocate(descriptor_, 0, 0, bytes) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error == EOPNOTSUPP || error == ENOSYS) {
    struct statvfs system {};
    error = 0;
    if (::fstatvfs(descriptor_, &system) == 0) {
      const auto free_bytes = static_cast<double>(system.f_bavail) * static_cast<double>(system.f_frsize);
      if (static_cast<double>(bytes - size()) > free_bytes) error = ENOSPC;
    }
  }
  if (error != 0) {
    throw RunError("cannot write " + path_ + ": " + std::strerror(error) + "; " + std::to_string(bytes) +
                   " bytes are needed");
  }
}

void FileBytes::finish() {
  if (descriptor_ < 0) return;
  const FileCall call("fsync", path_);
  if (::fsync(descriptor_) != 0) cannot_write(path_, errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) cannot_write(path_, errno);
}

void keep_as(const std::string& path, const std::string& kept, const std::string& temporary) {
  ::unlink(temporary.c_str());
  if (::link(path.c_str(), temporary.c_str()) == 0) {
    // A link of its own, so that `path` names a file at every moment.
    const int error = std::rename(temporary.c_str(), kept.c_str()) == 0 ? 0 : errno;
    ::unlink(temporary.c_str());  // still there where both were the same file
    if (error != 0) cannot_write(kept, error);
    return;
  }
  if (errno == ENOENT) return;
  if (std::rename(path.c_str(), kept.c_str()) != 0) cannot_write(kept, errno);
}

void rename_durably(const std::string& from, const std::string& to) {
  const FileCall call("rename", to);
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw RunError("cannot rename " + from + " to " + to + ": " + std::strerror(errno));
  }
  const auto directory = std::filesystem::absolute(to).parent_path();
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a directory that may be written but not read
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems have no fsync of directories.
  if (error != 0 && error != EINVAL && error != EROFS) cannot_write(to, error);
}

}  // namespace cohort
