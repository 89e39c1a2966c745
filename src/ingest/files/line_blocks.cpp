#include "ingest/files/line_blocks.hpp"

#include <algorithm>

#include "comm/distribution.hpp"
#include "core/error.hpp"
#include "core/interruption.hpp"
#include "ingest/files/byte_source.hpp"
#include "ingest/files/parquet_file.hpp"
#include "ingest/files/stream_rounds.hpp"

namespace cohort {

namespace {

// A rank's byte range of a plain file, and where records may start in it.
struct Range {
  std::int64_t end = 0;
  std::int64_t first_line = 0;         // the first line that starts in it; `end` where none does
  std::int64_t behind_quotes = -1;     // where reading starts if that line is inside quotes; -1: it cannot be
  std::int64_t end_from_line = 0;      // the first record at `end` or after it, read from first_line on
  std::int64_t end_behind_quotes = 0;  // and from behind_quotes on
};

BlockReader::Options options_of(const OpenedFile& opened, const Range& range) {
  auto options = reading_options(opened);
  options.end = range.end;
  return options;
}

Range own_range(const Communicator& comm, const OpenedFile& opened) {
  PlainFile file(opened.path);
  const auto data_begin = opened.layout.data_begin;
  const auto ranges = Distribution::even(opened.size - data_begin, comm.size());
  Range range;
  range.end = data_begin + ranges.end(comm.rank());
  range.first_line = seek_first_line(file, data_begin, data_begin + ranges.begin(comm.rank()), range.end,
                                     opened.old_mac ? '\r' : '\n');
  const auto options = options_of(opened, range);
  if (options.quotes && range.first_line > data_begin && range.first_line < range.end) {
    BlockReader reader(file, range.first_line, options);
    if (reader.skip_quoted_rest()) range.behind_quotes = reader.offset();
  }
  return range;
}

// The first record at range.end or after it, if one starts at `start`.
std::int64_t first_record_behind(const OpenedFile& opened, const Range& range, std::int64_t start) {
  PlainFile file(opened.path);
  file.seek(start);
  BlockReader reader(file, start, options_of(opened, range));
  for (LineBlock block; reader.next(block);) continue;
  return reader.offset();
}

void find_ends(const OpenedFile& opened, Range& range) {
  if (range.first_line >= range.end) return;
  range.end_from_line = first_record_behind(opened, range, range.first_line);
  if (range.behind_quotes < 0) return;
  // Both ways of reading mostly agree from here on.
  auto until = range;
  until.end = std::min(range.end, range.behind_quotes);
  range.end_behind_quotes = first_record_behind(opened, until, range.first_line) == range.behind_quotes
                                ? std::max(range.end_from_line, range.behind_quotes)
                                : first_record_behind(opened, range, range.behind_quotes);
}

// Where this rank starts to read a file: the map of every rank from where its range may start to where it ends,
// composed over the ranks before.
std::int64_t own_start(const Communicator& comm, const OpenedFile& opened, const Gathered<Range>& ranges,
                       std::size_t file) {
  std::int64_t at = opened.layout.data_begin;
  for (int r = 0; r <= comm.rank(); ++r) {
    const auto& range = ranges.from(r)[file];
    at = std::max(at, range.first_line);
    if (r == comm.rank() || at >= range.end) continue;
    COHORT_CHECK(at == range.first_line || at == range.behind_quotes, "a record that ends where none can start");
    at = at == range.first_line ? range.end_from_line : range.end_behind_quotes;
  }
  return at;
}

// This rank's ranges of the plain files; first_line becomes the first record that is this rank's. Collective.
std::vector<Range> resolved_ranges(const Communicator& comm, const std::vector<OpenedFile>& files) {
  std::vector<Range> own(files.size());
  comm.attempt([&] {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (files[f].storage.in_place()) own[f] = own_range(comm, files[f]);
    }
  });
  // Mostly no line at the start of a range can be inside quotes, and nothing is read twice.
  std::vector<std::int64_t> doubtful(files.size());
  std::ranges::transform(own, doubtful.begin(), [](const Range& range) { return range.behind_quotes >= 0 ? 1 : 0; });
  comm.sum_in_place(std::span<std::int64_t>(doubtful));
  if (std::ranges::count(doubtful, 0) == std::ssize(doubtful)) return own;
  comm.attempt([&] {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (doubtful[f] > 0) find_ends(files[f], own[f]);
    }
  });
  const auto ranges = comm.all_gather(std::span<const Range>(own));
  comm.attempt([&] {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (doubtful[f] > 0) own[f].first_line = own_start(comm, files[f], ranges, f);
    }
  });
  return own;
}

void read_range(const OpenedFile& opened, const Range& range, const std::function<void(const LineBlock&)>& parse) {
  PlainFile file(opened.path);
  file.seek(range.first_line);
  BlockReader reader(file, range.first_line, options_of(opened, range));
  for (LineBlock block; reader.next(block);) {
    end_if_interrupted();
    parse(block);
  }
}

}  // namespace

void read_blocks(const Communicator& comm, const std::vector<OpenedFile>& files,
                 const std::function<void(std::size_t, const LineBlock&)>& parse,
                 const std::function<void(std::size_t, const ColumnBlock&)>& parse_columns) {
  const auto ranges = resolved_ranges(comm, files);
  comm.attempt([&] {
    for (std::size_t f = 0; f < files.size(); ++f) {
      const auto of_file = [&](const LineBlock& block) { parse(f, block); };
      if (files[f].storage.in_place()) read_range(files[f], ranges[f], of_file);
      if (!files[f].storage.parquet) continue;
      if (parse_columns) {
        read_parquet_columns(files[f], comm.rank(), comm.size(),
                             [&](const ColumnBlock& block) { parse_columns(f, block); });
      } else {
        read_parquet(files[f], comm.rank(), comm.size(), of_file);
      }
    }
  });
  deal_out(comm, files, parse);
}

std::int64_t line_number(const OpenedFile& opened, std::int64_t offset, std::int64_t line) {
  if (line > 0) return line_in_file(opened.path, opened.storage, line);
  PlainFile file(opened.path);
  const char line_end = opened.old_mac ? '\r' : '\n';
  std::vector<char> buffer(std::size_t{1} << 20);
  std::int64_t number = 1;
  while (offset > 0) {
    const auto wanted = std::min(offset, std::ssize(buffer));
    const auto got = static_cast<std::ptrdiff_t>(file.read(buffer.data(), static_cast<std::size_t>(wanted)));
    if (got == 0) break;
    number += std::count(buffer.begin(), buffer.begin() + got, line_end);
    offset -= got;
  }
  return number;
}

}  // namespace cohort
