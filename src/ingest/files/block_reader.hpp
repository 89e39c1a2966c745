// Cuts the bytes of a file into blocks of whole records, in bounded memory whatever the length of a record. A record is
// a line; in csv, where a quoted field holds line ends, it is several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ingest/files/byte_source.hpp"
#include "ingest/records/quoted_record.hpp"

namespace cohort {

/// Whole records; every one, the file's last too, ends in '\n'. The parser may write into the text.
struct LineBlock {
  char* text = nullptr;
  std::size_t size = 0;
  std::int64_t offset = 0;  ///< of the first byte in the file (decompressed)
  std::int64_t line = 0;    ///< number of the first line, from 1; 0: not counted
  std::int64_t left = 0;    ///< bytes behind it that this rank will read, about; 0: not known
  bool oversized = false;   ///< stands for one record above the limit, which was skipped; no text
  std::int64_t lines = 1;   ///< of that record
};

class BlockReader {
 public:
  struct Options {
    std::size_t block_bytes = std::size_t{1} << 19;
    std::size_t line_limit = std::size_t{1} << 20;  ///< bytes; much longer records are skipped and reported
    bool quotes = false;                            ///< csv: quoted fields may hold line ends (quoted_record.hpp)
    char separator = ',';                           ///< of csv's fields
    bool old_mac = false;                           ///< lines end in '\r'; they are handed out with '\n'
    std::int64_t end = INT64_MAX;                   ///< records that start at this offset or after it are not read
    std::int64_t first_line = 0;                    ///< number of the line at the source's position; 0: do not count
  };

  /// `source` stands at `offset`, the start of a record, and must outlive the reader.
  BlockReader(ByteSource& source, std::int64_t offset, const Options& options);

  /// The next block, valid until the next call; false after the last. Throws what the source throws.
  bool next(LineBlock& block);

  /// Before the first block, where the source stands at the start of a line that may be inside a quoted field: moves
  /// behind the record of that field. False: no field that is well formed goes on here.
  bool skip_quoted_rest();

  /// Where the next block starts; after the last one, the first record that is not read.
  std::int64_t offset() const { return offset_; }

 private:
  void fill();
  std::size_t whole_records();
  std::int64_t skip_record(ScanState state);

  std::size_t most_buffered() const { return (options_.quotes ? 3 : 1) * options_.line_limit; }

  ByteSource& source_;
  Options options_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::size_t used_ = 0;     // handed out by the last call
  std::int64_t offset_ = 0;  // of buffer_[0]
  std::int64_t line_ = 0;
  bool source_ended_ = false;
  bool done_ = false;
};

/// Moves `file` to the first line that starts in [begin, end), where a line is known to start at `data_begin` <= begin;
/// returns its offset, or `end` if none starts there. Lines end in `line_end`. Local.
std::int64_t seek_first_line(PlainFile& file, std::int64_t data_begin, std::int64_t begin, std::int64_t end,
                             char line_end = '\n');

}  // namespace cohort
