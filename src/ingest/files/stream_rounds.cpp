#include "ingest/files/stream_rounds.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "core/error.hpp"
#include "core/interruption.hpp"

namespace cohort {

namespace {

constexpr std::size_t largest_block = std::size_t{1} << 20;
constexpr std::size_t smallest_block = std::size_t{1} << 16;
constexpr std::size_t round_bytes = std::size_t{1} << 26;

bool is_stream(const Storage& storage) {
  return !storage.in_place() && !storage.parquet;
}

// Travels before the bytes of a block.
struct BlockHeader {
  std::int64_t file;
  std::int64_t size;
  std::int64_t offset;
  std::int64_t line;
  std::int64_t lines;
  bool oversized;
};

// The lines of the files that this rank unpacks, one file after the other.
class Unpacking {
 public:
  Unpacking(const Communicator& comm, const std::vector<OpenedFile>& files) : files_(files) {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (is_stream(files[f].storage) && static_cast<int>(f % static_cast<std::size_t>(comm.size())) == comm.rank()) {
        own_.push_back(f);
      }
    }
    block_bytes_ = std::clamp(round_bytes / static_cast<std::size_t>(comm.size()), smallest_block, largest_block);
  }

  // Valid until the next call.
  bool next(std::size_t& file, LineBlock& block) {
    while (at_ < own_.size()) {
      file = own_[at_];
      if (!reader_) open(files_[file]);
      if (reader_->next(block)) return true;
      reader_.reset();
      source_.reset();
      ++at_;
    }
    return false;
  }

 private:
  void open(const OpenedFile& file) {
    source_ = open_text(file.path, file.storage);
    std::vector<char> header(static_cast<std::size_t>(file.layout.data_begin));
    for (std::size_t read = 0; read < header.size();) {
      const auto got = source_->read(header.data() + read, header.size() - read);
      if (got == 0) throw InputError(file.path + ": changed while it was read; run again");
      read += got;
    }
    auto options = reading_options(file);
    options.block_bytes = block_bytes_;
    options.first_line = file.layout.header_lines + 1;
    reader_.emplace(*source_, file.layout.data_begin, options);
  }

  const std::vector<OpenedFile>& files_;
  std::vector<std::size_t> own_;
  std::size_t at_ = 0;
  std::size_t block_bytes_;
  std::unique_ptr<ByteSource> source_;
  std::optional<BlockReader> reader_;
};

// One round's blocks, laid out by receiving rank for Communicator::exchange.
struct Outgoing {
  std::vector<BlockHeader> headers;
  std::vector<char> text;
  std::vector<std::int64_t> header_begin;
  std::vector<std::int64_t> text_begin;
};

}  // namespace

void deal_out(const Communicator& comm, const std::vector<OpenedFile>& files,
              const std::function<void(std::size_t, const LineBlock&)>& parse) {
  Unpacking unpacking(comm, files);
  Outgoing out;
  for (;;) {
    out.headers.clear();
    out.text.clear();
    out.header_begin.assign(1, 0);
    out.text_begin.assign(1, 0);
    comm.attempt([&] {
      end_if_interrupted();
      LineBlock block;
      std::size_t file = 0;
      for (int r = 0; r < comm.size(); ++r) {
        if (out.text.size() < round_bytes && unpacking.next(file, block)) {
          out.headers.push_back({static_cast<std::int64_t>(file), static_cast<std::int64_t>(block.size), block.offset,
                                 block.line, block.lines, block.oversized});
          out.text.insert(out.text.end(), block.text, block.text + block.size);
        }
        out.header_begin.push_back(std::ssize(out.headers));
        out.text_begin.push_back(std::ssize(out.text));
      }
    });
    if (!comm.any(!out.headers.empty())) return;
    const auto headers =
        comm.exchange(std::span<const BlockHeader>(out.headers), std::span(std::as_const(out.header_begin)));
    auto text = comm.exchange(std::span<const char>(out.text), std::span(std::as_const(out.text_begin)));
    comm.attempt([&] {
      auto* at = text.data.data();
      for (const auto& header : headers.data) {
        const auto size = static_cast<std::size_t>(header.size);
        parse(static_cast<std::size_t>(header.file), LineBlock{.text = at,
                                                               .size = size,
                                                               .offset = header.offset,
                                                               .line = header.line,
                                                               .oversized = header.oversized,
                                                               .lines = header.lines});
        at += size;
      }
    });
  }
}

}  // namespace cohort
