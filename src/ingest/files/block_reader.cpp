#include "ingest/files/block_reader.hpp"

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
    auto* const to = buffer_.data() + filled_;
    const auto got = source_.read(to, buffer_.size() - 1 - filled_);
    if (options_.old_mac) std::replace(to, to + got, '\r', '\n');
    if (got == 0) {
      source_ended_ = true;
      if (filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
    }
    filled_ += got;
  }
}

// Bytes at the start of the buffer that are whole records starting before the end of the range.
std::size_t BlockReader::whole_records() {
  const auto text = std::string_view(buffer_.data(), filled_);
  const auto before_end = options_.end - offset_;
  for (std::size_t at = 0;;) {
    // Up to the next quote every line is a record.
    const auto quote = options_.quotes ? std::min(text.find('"', at), filled_) : filled_;
    const auto plain = text.substr(0, quote);
    if (before_end <= static_cast<std::int64_t>(quote)) {
      const auto last = static_cast<std::size_t>(before_end) - 1;  // this byte belongs to the range's last record
      if (const auto line_end = plain.find('\n', last); line_end != std::string_view::npos) {
        done_ = true;
        return line_end + 1;
      }
    }
    const auto whole =
        std::max(at, plain.substr(0, std::min(quote, static_cast<std::size_t>(before_end))).rfind('\n') + 1);
    if (quote == filled_) return whole;
    const auto record = find_record_end(text.data() + whole, text.data() + filled_, source_ended_, options_.line_limit,
                                        ScanState::field_start, options_.separator);
    if (!record.next) return whole;
    at = static_cast<std::size_t>(record.next - text.data());
    if (static_cast<std::int64_t>(at) >= before_end || at == filled_) {
      done_ = static_cast<std::int64_t>(at) >= before_end;
      return at;
    }
  }
}

// Drops the record at the start of the buffer, which may be longer than the buffer; returns its lines.
std::int64_t BlockReader::skip_record(ScanState state) {
  std::int64_t lines = 0;
  char last = '\n';
  for (;;) {
    const auto* const begin = buffer_.data();
    const auto record =
        find_record_end(begin, begin + filled_, source_ended_, options_.line_limit, state, options_.separator);
    const auto skipped = static_cast<std::size_t>((record.next ? record.next : record.resume) - begin);
    lines += std::count(begin, begin + skipped, '\n');
    if (skipped > 0) last = begin[skipped - 1];
    std::memmove(buffer_.data(), begin + skipped, filled_ - skipped);
    filled_ -= skipped;
    offset_ += static_cast<std::int64_t>(skipped);
    if (record.next || (source_ended_ && filled_ == 0)) break;
    state = record.state;
    fill();
  }
  if (last != '\n') ++lines;  // the file's last line may lack its end
  if (line_ > 0) line_ += lines;
  done_ = offset_ >= options_.end;
  return lines;
}

bool BlockReader::skip_quoted_rest() {
  buffer_.resize(most_buffered() + 2);
  fill();
  const auto* const begin = buffer_.data();
  const auto record = find_record_end(begin, begin + filled_, source_ended_, options_.line_limit, ScanState::quoted,
                                      options_.separator);
  if (record.unclosed == begin) return false;
  skip_record(ScanState::quoted);
  return true;
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
    used_ = whole_records();
    if (used_ > 0) break;
    if (filled_ > most_buffered()) {
      block = LineBlock{.text = buffer_.data(), .offset = offset_, .line = line_, .oversized = true};
      block.lines = skip_record(options_.quotes ? ScanState::field_start : ScanState::rest_of_line);
      return true;
    }
    buffer_.resize(std::min(2 * buffer_.size(), most_buffered() + 2));
  }
  block = LineBlock{.text = buffer_.data(), .size = used_, .offset = offset_, .line = line_};
  offset_ += static_cast<std::int64_t>(used_);
  if (options_.end != INT64_MAX) block.left = std::max<std::int64_t>(0, options_.end - offset_);
  if (line_ > 0) line_ += std::count(buffer_.data(), buffer_.data() + used_, '\n');
  return true;
}

std::int64_t seek_first_line(PlainFile& file, std::int64_t data_begin, std::int64_t begin, std::int64_t end,
                             char line_end) {
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
    const auto found = std::string_view(buffer.data(), got).find(line_end);
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
