// Where a record of csv ends, with double quotes as in RFC 4180: a field that begins with one, after blanks or not,
// goes on to the next single one, over separators and line ends, and two stand for one. A quote anywhere else is a
// character. The separator is a comma unless the file has another.
//
// The rule for what is no such field, from which every reader and every rank cuts the same records: a quote that opens
// must be closed, with nothing but blanks between it and the separator or line end behind it, within a limit of bytes.
// Otherwise the record ends with the line in which it opened, and is malformed; reading goes on with the next line. So
// a stray quote costs its line, and nothing behind it.
#pragma once

#include <cstddef>

namespace cohort {

/// What stands where scanning goes on.
enum class ScanState {
  field_start,
  unquoted,      ///< inside a field that does not begin with a quote
  quoted,        ///< behind the quote that opened a field
  rest_of_line,  ///< of a line that is given up, or of a format without quotes
};

struct RecordEnd {
  const char* next = nullptr;  ///< the start of the next record; null: more bytes are needed to tell
  const char* unclosed =
      nullptr;  ///< the quote for which the record is malformed; with ScanState::quoted perhaps `begin`
  const char* resume = nullptr;              ///< where `next` is null: what stands before it is scanned,
  ScanState state = ScanState::field_start;  ///< and the state there
};

/// The end of the record in which `begin` stands in `state`. `is_last`: nothing follows `end`, and a line end stands
/// before it. `limit`: bytes that a quoted field may hold. Local.
RecordEnd find_record_end(const char* begin, const char* end, bool is_last, std::size_t limit,
                          ScanState state = ScanState::field_start, char separator = ',');

/// A field of a record that is not malformed.
struct QuotedField {
  char* begin;
  char* end;
  bool quoted;
};

/// The field that starts at `p`, without its quotes and the blanks around it; blanks inside quotes stay. Undoes doubled
/// quotes in place and moves p to the separator behind the field, or to `end`, the record's. Local.
QuotedField take_quoted_field(char*& p, char* end, char separator = ',');

}  // namespace cohort
