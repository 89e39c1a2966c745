#include "ingest/block_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace cohort {

BlockReader::BlockReader(ByteSource& source, std::int64_t offset, const Options& options)
    : source_(source), options_(options), offset_(offset), line_(options.first_line) {
  // One byte more than is read at a time: room for the line end that the last line may lack.
  buffer_.resize(options_.block_bytes + 1);
  done_ = offset_ >= options_.end;
}

void BlockReader::fill() {
  while (!source_ended_ && filled_ + 1 < buffer_.size()) {
    const auto got = source_.read(buffer_.data() + filled_, buffer_.size() - 1 - filled_);
    if (got == 0) {
      source_ended_ = true;
      if (filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
    }
    filled_ += got;
  }
}

// Bytes at the start of the buffer that are whole lines starting before the end of the range.
std::size_t BlockReader::whole_lines() {
  const auto text = std::string_view(buffer_.data(), filled_);
  const auto before_end = options_.end - offset_;
  if (before_end <= static_cast<std::int64_t>(filled_)) {
    const auto last = static_cast<std::size_t>(before_end) - 1;  // this byte belongs to the range's last line
    const auto line_end = text.find('\n', last);
    if (line_end != std::string_view::npos) {
      done_ = true;
      return line_end + 1;
    }
    return text.substr(0, last).rfind('\n') + 1;
  }
  return text.rfind('\n') + 1;
}

void BlockReader::skip_line(LineBlock& block) {
  block = LineBlock{.text = buffer_.data(), .offset = offset_, .line = line_, .oversized = true};
  for (;;) {
    const auto line_end = std::string_view(buffer_.data(), filled_).find('\n');
    const auto skipped = line_end == std::string_view::npos ? filled_ : line_end + 1;
    std::memmove(buffer_.data(), buffer_.data() + skipped, filled_ - skipped);
    filled_ -= skipped;
    offset_ += static_cast<std::int64_t>(skipped);
    if (line_end != std::string_view::npos || (source_ended_ && filled_ == 0)) break;
    fill();
  }
  if (line_ > 0) ++line_;
  done_ = offset_ >= options_.end;
}

bool BlockReader::next(LineBlock& block) {
  if (done_) return false;
  std::memmove(buffer_.data(), buffer_.data() + used_, filled_ - used_);
  filled_ -= used_;
  used_ = 0;
  for (;;) {
    fill();
    if (filled_ == 0) {
      done_ = true;
      return false;
    }
    used_ = whole_lines();
    if (used_ > 0) break;
    if (filled_ > options_.line_limit) {
      skip_line(block);
      return true;
    }
    buffer_.resize(std::min(2 * buffer_.size(), options_.line_limit + 2));
  }
  block = LineBlock{.text = buffer_.data(), .size = used_, .offset = offset_, .line = line_};
  offset_ += static_cast<std::int64_t>(used_);
  if (options_.end != INT64_MAX) block.left = std::max<std::int64_t>(0, options_.end - offset_);
  if (line_ > 0) line_ += std::count(buffer_.data(), buffer_.data() + used_, '\n');
  return true;
}

std::int64_t seek_first_line(PlainFile& file, std::int64_t data_begin, std::int64_t begin, std::int64_t end) {
  if (begin <= data_begin) {
    file.seek(data_begin);
    return data_begin;
  }
  // A line starts at `begin` if the byte before it ends one.
  file.seek(begin - 1);
  std::vector<char> buffer(std::size_t{1} << 16);
  for (std::int64_t at = begin - 1; at < end;) {
    const auto got = file.read(buffer.data(), buffer.size());
    if (got == 0) break;
    const auto found = std::string_view(buffer.data(), got).find('\n');
    if (found != std::string_view::npos) {
      const auto start = std::min(end, at + static_cast<std::int64_t>(found) + 1);
      file.seek(start);
      return start;
    }
    at += static_cast<std::int64_t>(got);
  }
  return end;
}

}  // namespace cohort
