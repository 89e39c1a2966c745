#include "generate/text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "core/error.hpp"
#include "core/file_call.hpp"
#include "core/interruption.hpp"

namespace cohort {

namespace {

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  bool close() {
    const int result = ::close(value_);
    value_ = -1;
    return result == 0;
  }

 private:
  int value_;
};

bool write_at(int descriptor, std::string_view text, std::int64_t offset) {
  while (!text.empty()) {
    const auto written = ::pwrite(descriptor, text.data(), text.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return true;
}

}  // namespace

TextFile::TextFile(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  temporary_ = comm_.broadcast(path_ + ".tmp." + std::to_string(::getpid()) + std::to_string(now));
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    const Descriptor file(temporary_, O_CREAT | O_EXCL | O_WRONLY);
    if (file.get() < 0) throw InputError("cannot write " + path_ + ": " + std::strerror(errno));
  });
}

TextFile::~TextFile() {
  if (!committed_ && comm_.is_root()) ::unlink(temporary_.c_str());
}

void TextFile::write(std::span<const std::string> pieces) {
  std::int64_t bytes = 0;
  for (const auto& piece : pieces) bytes += std::ssize(piece);
  auto offset = comm_.exclusive_sum(bytes);
  comm_.attempt([&] {
    end_if_interrupted();
    const FileCall call("write", path_);
    Descriptor file(temporary_, O_WRONLY);
    bool good = file.get() >= 0;
    for (const auto& piece : pieces) {
      good = good && write_at(file.get(), piece, offset);
      offset += std::ssize(piece);
    }
    if (!good || ::fsync(file.get()) != 0 || !file.close()) {
      throw RunError("cannot write " + path_ + ": " + std::strerror(errno));
    }
  });
}

void TextFile::commit() {
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
      throw RunError("cannot rename " + temporary_ + " to " + path_ + ": " + std::strerror(errno));
    }
  });
  committed_ = true;
}

}  // namespace cohort
