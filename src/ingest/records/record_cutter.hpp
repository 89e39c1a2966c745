// The records of a block of text, one by one, for the readers of pairs, of attribute tables and of lists of ids: what a
// line is, which lines are blank, and what no line of any file may hold are decided here for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "ingest/files/block_reader.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/json_lines.hpp"

namespace cohort {

class RecordCutter {
 public:
  struct Rules {
    bool quotes = false;        ///< csv: see quoted_record.hpp
    bool tabs = false;          ///< a tab separates fields, so a line of tabs is not blank
    std::size_t limit = 0;      ///< bytes of a record at most
    char separator = ',';       ///< of csv
    char comment = '\0';        ///< lines that begin with it are passed over; none
    bool ruled = false;         ///< rules of a printed table (file_head.hpp) are passed over
    JsonLines* json = nullptr;  ///< makes lines of JSON into records with quotes; null: they are records
  };

  /// `block` is not oversized and outlives the cutter. Records that have been cut may be written into.
  RecordCutter(const LineBlock& block, const Rules& rules);

  /// Moves to the next record that is not blank; false behind the last. Local.
  bool next() {
    while (next_ < block_end_) {
      begin_ = next_;
      line_ += lines_;
      lines_ = 1;
      next_ = static_cast<char*>(std::memchr(begin_, '\n', static_cast<std::size_t>(block_end_ - begin_))) + 1;
      trim_line_end();
      if (rare_) [[unlikely]]
        examine();
      if (begin_ < end_ && !(is_blank(*begin_) && is_blank_line())) [[likely]] {
        if (rules_.comment != '\0' && *begin_ == rules_.comment) [[unlikely]] {
          ++comments_;
          continue;
        }
        if (rules_.ruled && is_rule({begin_, static_cast<std::size_t>(end_ - begin_)})) [[unlikely]]
          continue;
        if (rules_.json) [[unlikely]]
          take_json();
        return true;
      }
    }
    return false;
  }

  char* begin() const { return rules_.json ? rules_.json->begin() : begin_; }
  char* end() const { return rules_.json ? rules_.json->end() : end_; }  ///< before its line end
  std::int64_t lines() const { return lines_; }                          ///< that the record spans
  std::int64_t comments() const { return comments_; }                    ///< lines passed over so far
  bool has_quotes() const { return has_quotes_; }  ///< its fields are to be taken by take_quoted_field
  /// What makes the record malformed whatever its fields are, and what to do; empty: nothing.
  const std::string& fault() const { return fault_; }
  /// Of the record's first line, or of the line that fault() speaks of: its first byte in the file, and its number from
  /// 1 (0: not known).
  std::int64_t offset() const { return block_.offset + ((fault_.empty() ? begin_ : fault_line_) - block_.text); }
  std::int64_t line_number() const { return block_.line == 0 ? 0 : block_.line + line_ + lines_before_fault_; }

 private:
  void trim_line_end() {
    end_ = next_ - 1;
    while (end_ > begin_ && end_[-1] == '\r') --end_;
  }
  bool is_blank_line() const;
  void examine();
  void take_quotes();
  void take_json();
  void find_fault(std::string what, const char* where);

  const LineBlock& block_;
  Rules rules_;
  char* next_;
  char* const block_end_;
  char* begin_ = nullptr;
  char* end_ = nullptr;
  std::int64_t line_ = 0;  // of begin_, from the block's first
  std::int64_t lines_ = 0;
  bool has_quotes_ = false;
  // What is rare is looked for once in a block, which is much cheaper than in every line.
  bool quote_in_block_, nul_in_block_, return_in_block_, mark_in_block_, invalid_in_block_, long_block_;
  bool rare_;
  std::string fault_;
  const char* fault_line_ = nullptr;
  std::int64_t lines_before_fault_ = 0;
  std::int64_t comments_ = 0;
};

}  // namespace cohort
