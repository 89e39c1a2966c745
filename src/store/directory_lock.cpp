#include "store/directory_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "comm/same_files.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

namespace fs = std::filesystem;

std::string description() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return "process " + std::to_string(::getpid()) + " on " + host_name() +
         (job ? ", Slurm job " + std::string(job) : std::string());
}

// 0, or what failed. EAGAIN: another process has it.
int try_lock(int descriptor) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  // Of the open file, not of the process: no other close in this process drops it.
  if (::fcntl(descriptor, F_OFD_SETLK, &whole) == 0) return 0;
  return errno == EACCES ? EAGAIN : errno;
}

std::string content(int descriptor) {
  std::array<char, 512> text{};
  const auto size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

// Whoever had the lock before may have removed the file that was opened.
bool still_named(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

// Nobody else writes into the directory now, so all of them are of runs that died.
void remove_temporaries(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto name = entry.path().filename().string();
    const bool ours = name.find(".h5.tmp.") != std::string::npos || name.starts_with("interrupted.json.tmp.");
    if (ours) fs::remove(entry.path(), error);
  }
}

}  // namespace

std::string job_name() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job ? "slurm-" + std::string(job) : host_name() + "-" + std::to_string(::getpid());
}

DirectoryLock::DirectoryLock(const Communicator& comm, const std::string& directory)
    : path_((fs::path(directory) / ".cohort.lock").string()) {
  comm.attempt([&] {
    if (!comm.is_root()) return;
    for (;;) {
      descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
      if (descriptor_ < 0) {
        throw InputError("cannot write into " + directory + " (output.directory): " + std::strerror(errno));
      }
      const int error = try_lock(descriptor_);
      if (error == EAGAIN) {
        const auto other = content(descriptor_);
        ::close(std::exchange(descriptor_, -1));
        throw InputError("another run of Cohort is writing into " + directory +
                         (other.empty() ? "" : " (" + other + ")") +
                         "; wait for its end, or give this one another output.directory");
      }
      holds_ = error == 0;
      if (!holds_ || still_named(descriptor_, path_)) break;
      ::close(std::exchange(descriptor_, -1));
    }
    if (!holds_) return;
    const auto text = description();
    // For messages only, so a full disk does not matter here.
    if (::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, text.data(), text.size(), 0) < 0) errno = 0;
    remove_temporaries(directory);
  });
  holds_ = comm.any(holds_);
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ < 0) return;
  // Removed before it is let go, so that nobody else's file goes.
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace cohort
