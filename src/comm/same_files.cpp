#include "comm/same_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/file_call.hpp"
#include "core/stopwatch.hpp"

namespace cohort {

namespace {

constexpr std::size_t start_bytes = std::size_t{1} << 16;
// A network file system may remember for a while that a directory was not there; a new name it does not know.
constexpr double patience_seconds = 3.0;

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Up to `size` bytes from the start of the file; -1 with errno set.
ssize_t read_start(int descriptor, char* data, std::size_t size) {
  std::size_t filled = 0;
  while (filled < size) {
    const auto got = ::pread(descriptor, data + filled, size - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(filled);
}

std::uint64_t fnv(const char* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3U;
  return hash;
}

std::string own_prefix() {
  return ".cohort-seen." + host_name() + ".";
}

// Marks of processes of this machine that were killed before they could remove them. What cannot be looked at stays.
void remove_abandoned(const std::string& directory) {
  std::error_code error;
  const auto prefix = own_prefix();
  std::vector<std::filesystem::path> abandoned;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    pid_t process = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), process);
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) abandoned.push_back(entry->path());
  }
  for (const auto& path : abandoned) std::filesystem::remove(path, error);
}

// A file that rank 0 makes for the others to find, with its own name in it.
class Mark {
 public:
  Mark(const Communicator& comm, const std::string& directory) : comm_(comm) {
    comm_.attempt([&] {
      if (!comm_.is_root()) return;
      remove_abandoned(directory);
      const auto now = std::chrono::system_clock::now().time_since_epoch().count();
      name_ =
          (std::filesystem::path(directory) / (own_prefix() + std::to_string(::getpid()) + "." + std::to_string(now)))
              .string();
      const FileCall call("open", name_);
      const Descriptor file(name_, O_CREAT | O_EXCL | O_WRONLY);
      if (file.get() < 0) throw InputError("cannot write into " + directory + ": " + std::strerror(errno));
      made_ = true;
      if (::write(file.get(), name_.data(), name_.size()) != static_cast<ssize_t>(name_.size()) ||
          ::fsync(file.get()) != 0) {
        throw RunError("cannot write into " + directory + ": " + std::strerror(errno));
      }
    });
    name_ = comm_.broadcast(name_);
  }
  ~Mark() {
    if (made_) ::unlink(name_.c_str());
  }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  // Why this rank does not see it; 0 if it does. Local.
  int missing() const {
    const Stopwatch stopwatch;
    for (;;) {
      const int error = look();
      if ((error != ENOENT && error != ESTALE) || stopwatch.seconds() > patience_seconds) return error;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

 private:
  int look() const {
    const FileCall call("open", name_);
    const Descriptor file(name_, O_RDONLY);
    if (file.get() < 0) return errno;
    std::vector<char> found(name_.size());
    const auto got = read_start(file.get(), found.data(), found.size());
    if (got < 0) return errno;
    return std::equal(name_.begin(), name_.end(), found.begin()) ? 0 : ENOENT;
  }

  const Communicator& comm_;
  std::string name_;
  bool made_ = false;
};

}  // namespace

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "an unknown machine";
  return name.data();
}

std::string on_rank(const Communicator& comm) {
  return comm.is_root() ? "" : " (rank " + std::to_string(comm.rank()) + ", on " + host_name() + ")";
}

FileSight look_at(const std::string& path) {
  const FileCall call("open", path);
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // nobody may have opened a pipe to write
  if (file.get() < 0) throw InputError("cannot read " + path + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw InputError("cannot read " + path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw InputError(path + " is not a file");
  std::vector<char> start(start_bytes);
  const auto got = read_start(file.get(), start.data(), start.size());
  if (got < 0) throw InputError("cannot read " + path + ": " + std::strerror(errno));
  return {status.st_size, fnv(start.data(), static_cast<std::size_t>(got))};
}

void need_same(const Communicator& comm, const std::string& path, const FileSight& here, const FileSight& at_root) {
  const auto who = "rank " + std::to_string(comm.rank()) + ", on " + host_name() + ",";
  if (here.size != at_root.size) {
    throw InputError(path + ": " + who + " sees " + std::to_string(here.size) + " bytes, rank 0 sees " +
                     std::to_string(at_root.size) + "; all nodes must see the same file");
  }
  if (here.start != at_root.start) {
    throw InputError(path + ": " + who + " sees other bytes than rank 0; all nodes must see the same file");
  }
}

bool is_there(const Communicator& comm, const std::string& path) {
  std::error_code ignored;
  return comm.any(comm.is_root() &&
                  std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found);
}

void need_same_file(const Communicator& comm, const std::string& path) {
  FileSight here;
  comm.attempt([&] {
    try {
      here = look_at(path);
    } catch (const InputError& error) {
      throw InputError(error.what() + on_rank(comm));
    }
  });
  auto at_root = here;
  comm.broadcast(std::span<FileSight>(&at_root, 1));
  comm.attempt([&] { need_same(comm, path, here, at_root); });
}

void need_same_directory(const Communicator& comm, const std::string& directory, const std::string& setting) {
  std::string absolute;
  comm.attempt([&] {
    if (comm.is_root()) absolute = std::filesystem::absolute(directory).lexically_normal().string();
  });
  absolute = comm.broadcast(absolute);
  const Mark mark(comm, absolute);
  comm.attempt([&] {
    if (const int error = mark.missing()) {
      throw InputError("rank " + std::to_string(comm.rank()) + ", on " + host_name() +
                       ", does not see what rank 0 wrote "
                       "into " +
                       absolute + " (" + setting + "): " + std::strerror(error) +
                       "; all nodes must see the same directory");
    }
  });
}

}  // namespace cohort
