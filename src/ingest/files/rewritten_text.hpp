// Text whose records are written neither as RFC 4180 has CSV nor with one character between their columns, read as CSV:
// separators of several characters, backslashes that escape, quotes in columns that blanks separate, headers that are a
// name short. One line is made of one line, so that their numbers stay, but for line ends that letters stand for: what
// is reported by number is asked back (source_line).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/files/byte_source.hpp"

namespace cohort {

/// How a text is written; without a separator there is nothing to rewrite.
struct Dialect {
  std::string separator;  ///< of columns: "||", ",", a tab; " " stands for runs of blanks
  bool quotes = false;    ///< fields may stand in double quotes, with a doubled one for each inside
  bool escapes = false;  ///< a backslash takes the meaning of a quote, a separator, a backslash or a line end behind it
  bool letters = false;  ///< and gives one to a letter: \t is a tab, \n a line end, as in what databases dump
  bool row_names = false;  ///< the first line lacks the name of the first column, as R writes tables
  bool ended = false;      ///< a separator ends each line but the first
  char comment = '\0';     ///< lines that begin with it stay as they are; '\0': none do

  bool as_usual() const { return separator.empty(); }
};

/// Hive's, and of what is rewritten: nothing else uses it.
constexpr char rare_separator = '\x01';

/// What separates the columns once they are rewritten: the dialect's own separator where CSV's rules know it. Local.
char separator_after(const Dialect& dialect);

class RewrittenText final : public ByteSource {
 public:
  /// A record that spans lines has at most record_limit bytes; where a quote is not closed within, or is followed by
  /// more than blanks, its line becomes a malformed one with a quote at the same place.
  RewrittenText(std::unique_ptr<ByteSource> source, Dialect dialect, std::size_t record_limit = std::size_t{1} << 20);
  std::size_t read(char* data, std::size_t size) override;

  /// Instead of reading, before anything is read: the number, from 1, of the source's line that line `made` of the text
  /// is made of; of a line that a letter has ended, the one with the letter.
  std::int64_t source_line(std::int64_t made);

 private:
  enum class Taken { whole, malformed, more };

  void fill();
  bool take_record();
  void give_up_record();
  Taken take_fields(std::size_t& at);
  Taken take_field(std::size_t& at, bool& last);
  Taken take_quoted(std::size_t& at);
  bool take_escape(std::size_t& at);
  std::size_t separator_at(std::size_t at) const;
  std::size_t line_end_at(std::size_t at) const;
  void hand_out_field(bool quoted);

  std::unique_ptr<ByteSource> source_;
  Dialect dialect_;
  std::size_t record_limit_;
  char separator_;
  std::string text_;  // of the source, from the record that is taken
  std::size_t begin_ = 0;
  bool source_ended_ = false;
  bool first_line_ = true;
  bool in_long_line_ = false;  // of more than record_limit_ bytes, whose end has not come
  std::size_t fault_ = 0;      // where in text_ the quote is for which a record is malformed
  std::string field_;
  std::string record_;
  std::string made_;  // and not handed out
  std::size_t handed_out_ = 0;
};

/// What a text becomes; for telling whether a dialect fits. Local.
std::string rewritten(std::string_view text, const Dialect& dialect);

}  // namespace cohort
