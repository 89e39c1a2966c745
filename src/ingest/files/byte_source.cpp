#include "ingest/files/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/file_call.hpp"

namespace cohort {

namespace {

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

PlainFile::PlainFile(const std::string& path) : path_(path) {
  struct stat status {};
  // Asked before opening: opening a FIFO would wait for a writer.
  if (::stat(path.c_str(), &status) != 0) {
    throw InputError(path + ": cannot be read: " + reason() + "; check the path and that every node sees it");
  }
  if (S_ISDIR(status.st_mode)) throw InputError(path + ": is a directory; name the files in it");
  if (!S_ISREG(status.st_mode)) throw InputError(path + ": is no regular file; write the data into one first");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError(path + ": cannot be opened: " + reason());
  size_ = status.st_size;
}

PlainFile::~PlainFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t PlainFile::read(char* data, std::size_t size) {
  for (;;) {
    const FileCall call("read", path_);
    const auto got = ::pread(descriptor_, data, size, position_);
    if (got >= 0) {
      position_ += got;
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) {
      throw InputError(path_ + ": reading failed at byte " + std::to_string(position_) + ": " + reason());
    }
  }
}

std::string first_bytes(ByteSource& source, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t filled = 0;
  while (filled < most) {
    const auto got = source.read(bytes.data() + filled, most - filled);
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace cohort
