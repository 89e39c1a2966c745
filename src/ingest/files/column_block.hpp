// Rows of a file that stores columns, as RecordParser takes them: numbers and times as they are, texts that repeat
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

/// One column of the rows of a block.
struct ColumnValues {
  enum class Kind { absent, integers, reals, seconds, texts };
  Kind kind = Kind::absent;
  const std::int64_t* integers = nullptr;  ///< by row, of Kind::integers
  const double* reals = nullptr;           ///< by row, of Kind::reals, and of Kind::seconds since 1970 in UTC
  std::vector<std::string_view> texts;     ///< of Kind::texts, each as it may stand in many rows
  bool ascii = false;                      ///< of texts: all are ASCII without NUL bytes; false: some may be
  const std::int32_t* code = nullptr;      ///< row r has the text code[r]; null: it has the text r
  const std::uint8_t* present =
      nullptr;  ///< a bit for each row, from bit first_bit on, 0: no value; null: all have one
  std::int64_t first_bit = 0;
  /// The value of a row as text, as a file of csv has it; empty: there is none.
  std::function<std::string(std::int64_t row)> text_of;

  bool has(std::int64_t row) const {
    const auto bit = first_bit + row;
    return present == nullptr || (present[bit >> 3] >> (bit & 7) & 1) != 0;
  }
};

/// A column that the file's layout does not name is absent.
struct ColumnBlock {
  std::int64_t rows = 0;
  std::int64_t first_row = 0;  ///< number of the first in the file, from 1
  std::int64_t left = 0;       ///< rows behind it that this rank will read
  ColumnValues first, second, weight, time, event, split;
};

}  // namespace cohort
