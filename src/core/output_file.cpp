#include "core/output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.hpp"

namespace cohort {

namespace {

enum class Kind { missing, file, written_through };

// Throws InputError for a directory.
Kind kind_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Kind::missing;
    throw InputError("cannot write " + path + ": " + std::strerror(errno));
  }
  const bool link = S_ISLNK(status.st_mode);
  if (link && ::stat(path.c_str(), &status) != 0) return Kind::written_through;  // makes what the link names
  if (S_ISDIR(status.st_mode)) throw InputError("cannot write " + path + ": it is a directory; name a file");
  return link || !S_ISREG(status.st_mode) ? Kind::written_through : Kind::file;
}

std::string temporary_of(const std::string& path) {
  return path + ".tmp." + std::to_string(::getpid());
}

}  // namespace

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(descriptor, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  if (kind_of(path_) == Kind::written_through) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  } else {
    temporary_ = temporary_of(path_);
    ::unlink(temporary_.c_str());  // of a dead process that had the same number
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (descriptor_ < 0) throw InputError("cannot write " + path_ + ": " + std::strerror(errno));
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail(int error) const {
  throw RunError("cannot write " + path_ + ": " + std::strerror(error));
}

void OutputFile::write(std::string_view text) {
  if (path_.empty()) return write_standard_output(text);
  if (const int error = write_all(descriptor_, text); error != 0) fail(error);
}

void OutputFile::commit() {
  if (path_.empty()) return;
  // Pipes and devices cannot be synchronised.
  int error = ::fsync(descriptor_) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
  if (::close(std::exchange(descriptor_, -1)) != 0 && error == 0) error = errno;
  if (error == 0 && !temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0) error = errno;
  if (error == 0) return;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  fail(error);
}

void check_output_path(const std::string& path) {
  if (path.empty() || kind_of(path) == Kind::written_through) return;
  const auto directory = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    throw InputError("cannot write " + path + ": there is no directory " + directory.string());
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw InputError("cannot write " + path + ": " + std::strerror(errno));
  }
}

void write_standard_output(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw RunError(std::string("standard output cannot be written: ") + std::strerror(error));
  }
}

}  // namespace cohort
