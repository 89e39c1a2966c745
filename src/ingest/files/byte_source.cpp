#include "ingest/files/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/file_call.hpp"
#include "ingest/files/other_formats.hpp"

namespace cohort {

namespace {

constexpr std::size_t compressed_chunk = std::size_t{1} << 18;

// Enough to know a format by.
constexpr std::size_t bytes_looked_at = 4096;

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

struct GzipFile::Inflater {
  z_stream stream{};
  Inflater() {
    // 15 bits of window, +16: gzip wrapping.
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw RunError("zlib could not be initialised");
  }
  ~Inflater() { inflateEnd(&stream); }
};

GzipFile::GzipFile(const std::string& path)
    : path_(path), file_(path), input_(compressed_chunk), inflater_(std::make_unique<Inflater>()) {}

GzipFile::~GzipFile() = default;

void GzipFile::next_input() {
  const auto got = file_.read(reinterpret_cast<char*>(input_.data()), input_.size());
  inflater_->stream.next_in = input_.data();
  inflater_->stream.avail_in = static_cast<uInt>(got);
}

std::size_t GzipFile::read(char* data, std::size_t size) {
  auto& stream = inflater_->stream;
  stream.next_out = reinterpret_cast<unsigned char*>(data);
  const auto wanted = static_cast<uInt>(std::min<std::size_t>(size, std::size_t{1} << 30));
  stream.avail_out = wanted;
  while (!ended_ && stream.avail_out == wanted) {
    if (stream.avail_in == 0) next_input();
    if (stream.avail_in == 0) {
      if (member_open_) throw InputError(path_ + ": the gzip data ends early; the file is truncated, fetch it again");
      ended_ = true;
      break;
    }
    if (!member_open_) {
      // Zero bytes after a member are padding (tapes, some tools), as gzip itself takes them.
      while (stream.avail_in > 0 && *stream.next_in == 0) {
        ++stream.next_in;
        --stream.avail_in;
      }
      if (stream.avail_in == 0) continue;
      member_open_ = true;
    }
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      member_open_ = false;
      inflateReset(&stream);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw InputError(path_ + ": the gzip data is damaged (" + (stream.msg ? stream.msg : "zlib error") +
                       "); fetch the file again");
    }
  }
  return wanted - stream.avail_out;
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

bool is_gzip(const std::string& path) {
  PlainFile file(path);
  const auto head = first_bytes(file, bytes_looked_at);
  if (head.starts_with("\x1F\x8B")) {
    GzipFile inside(path);
    refuse_other_formats(first_bytes(inside, bytes_looked_at), path + " (unpacked)");
    return true;
  }
  refuse_other_formats(head, path);
  if (!head.empty() && path.ends_with(".gz")) {
    throw InputError(path + ": is named .gz but holds no gzip data; rename or compress it");
  }
  return false;
}

}  // namespace cohort
