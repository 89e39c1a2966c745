#include "cli/rank_order.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace cohort {

TextOutput::TextOutput(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    if (path_.empty()) {
      stream_ = stdout;
      return;
    }
    temporary_ = path_ + ".tmp." + std::to_string(::getpid());
    stream_ = std::fopen(temporary_.c_str(), "wbx");
    if (!stream_) throw InputError("cannot write " + temporary_ + ": " + std::strerror(errno));
  });
}

TextOutput::~TextOutput() {
  if (!stream_ || path_.empty()) return;
  std::fclose(stream_);
  ::unlink(temporary_.c_str());
}

void TextOutput::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) {
    throw RunError("writing " + (path_.empty() ? "standard output" : path_) + " failed: " + std::strerror(errno));
  }
}

void TextOutput::write(const std::function<bool(std::string&)>& next) {
  std::string piece;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    for (bool more = true; more;) {
      comm_.attempt([&] {
        piece.clear();
        more = rank == comm_.rank() && next(piece);
      });
      more = comm_.any(more);
      const auto got = comm_.gather(std::span<const char>(piece)).data;
      comm_.attempt([&] {
        if (comm_.is_root()) put({got.data(), got.size()});
      });
    }
  }
}

void TextOutput::write_once(const std::string& text) {
  comm_.attempt([&] {
    if (comm_.is_root()) put(text);
  });
}

void TextOutput::commit() {
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    if (path_.empty()) {
      if (std::fflush(stream_) != 0)
        throw RunError(std::string("writing standard output failed: ") + std::strerror(errno));
      return;
    }
    const bool flushed = std::fflush(stream_) == 0 && ::fsync(::fileno(stream_)) == 0;
    const bool closed = std::fclose(std::exchange(stream_, nullptr)) == 0;
    if (!flushed || !closed || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
      const std::string reason = std::strerror(errno);
      ::unlink(temporary_.c_str());
      throw RunError("writing " + path_ + " failed: " + reason);
    }
  });
}

}  // namespace cohort
