#include "ingest/files/unpackers.hpp"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace cohort {

namespace {

// What the libraries with counts of 32 bits take at once.
unsigned int bounded(std::size_t size) {
  return static_cast<unsigned int>(std::min<std::size_t>(size, std::size_t{1} << 30));
}

// They read through pointers to what is not const.
template <class Byte>
Byte* bytes_of(std::string_view input) {
  return reinterpret_cast<Byte*>(const_cast<char*>(input.data()));
}

class Gzip final : public Unpacker {
 public:
  Gzip() {
    // 15 bits of window, +16: gzip wrapping.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw RunError("zlib could not be initialised");
  }
  ~Gzip() override { inflateEnd(&stream_); }

  Step step(std::string_view input, char* output, std::size_t room) override {
    stream_.next_in = bytes_of<Bytef>(input);
    stream_.avail_in = bounded(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = bounded(room);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    Step step{bounded(input.size()) - stream_.avail_in, bounded(room) - stream_.avail_out, status == Z_STREAM_END, {}};
    if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END) {
      step.fault = stream_.msg ? stream_.msg : "zlib error";
    }
    return step;
  }
  void restart() override { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

class Bzip2 final : public Unpacker {
 public:
  Bzip2() { begin(); }
  ~Bzip2() override { BZ2_bzDecompressEnd(&stream_); }

  Step step(std::string_view input, char* output, std::size_t room) override {
    stream_.next_in = bytes_of<char>(input);
    stream_.avail_in = bounded(input.size());
    stream_.next_out = output;
    stream_.avail_out = bounded(room);
    const int status = BZ2_bzDecompress(&stream_);
    Step step{bounded(input.size()) - stream_.avail_in, bounded(room) - stream_.avail_out, status == BZ_STREAM_END, {}};
    if (status == BZ_MEM_ERROR) throw RunError("there is no memory left to unpack bzip2 data");
    if (status != BZ_OK && status != BZ_STREAM_END) step.fault = "libbz2 error " + std::to_string(status);
    return step;
  }
  void restart() override {
    BZ2_bzDecompressEnd(&stream_);
    begin();
  }

 private:
  void begin() {
    stream_ = {};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw RunError("libbz2 could not be initialised");
  }
  bz_stream stream_{};
};

class Xz final : public Unpacker {
 public:
  Xz() { begin(); }
  ~Xz() override { lzma_end(&stream_); }

  Step step(std::string_view input, char* output, std::size_t room) override {
    stream_.next_in = bytes_of<const std::uint8_t>(input);
    stream_.avail_in = input.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(output);
    stream_.avail_out = room;
    const auto status = lzma_code(&stream_, LZMA_RUN);
    Step step{input.size() - stream_.avail_in, room - stream_.avail_out, status == LZMA_STREAM_END, {}};
    if (status == LZMA_MEM_ERROR) throw RunError("there is no memory left to unpack xz data");
    if (status != LZMA_OK && status != LZMA_BUF_ERROR && status != LZMA_STREAM_END) {
      step.fault = "liblzma error " + std::to_string(static_cast<int>(status));
    }
    return step;
  }
  void restart() override { begin(); }

 private:
  void begin() {
    if (lzma_stream_decoder(&stream_, std::numeric_limits<std::uint64_t>::max(), 0) != LZMA_OK) {
      throw RunError("liblzma could not be initialised");
    }
  }
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Zstd final : public Unpacker {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw RunError("libzstd could not be initialised");
    // Frames of `zstd --long` name windows of up to 2 GiB.
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 31);
    restart();
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  Step step(std::string_view input, char* output, std::size_t room) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output, room, 0};
    const auto status = ZSTD_decompressStream(stream_, &out, &in);
    Step step{in.pos, out.pos, status == 0, {}};
    if (ZSTD_isError(status)) step.fault = ZSTD_getErrorName(status);
    return step;
  }
  void restart() override { ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only); }

 private:
  ZSTD_DStream* stream_;
};

}  // namespace

std::unique_ptr<Unpacker> make_unpacker(Packing packing) {
  switch (packing) {
    case Packing::gzip:
      return std::make_unique<Gzip>();
    case Packing::bzip2:
      return std::make_unique<Bzip2>();
    case Packing::xz:
      return std::make_unique<Xz>();
    case Packing::zstd:
      return std::make_unique<Zstd>();
    case Packing::none:
      break;
  }
  throw RunError("a file that is not compressed needs no unpacking");
}

}  // namespace cohort
