#include "ingest/records/quoted_record.hpp"

#include <algorithm>
#include <cstring>

#include "ingest/records/blanks.hpp"

namespace cohort {

namespace {

const char* find_byte(const char* begin, const char* end, char byte) {
  if (begin >= end) return nullptr;
  return static_cast<const char*>(std::memchr(begin, byte, static_cast<std::size_t>(end - begin)));
}

// What may stand around a field's quotes; a tab is none where it separates fields.
struct BlankOf {
  char separator;
  bool operator()(char c) const { return c != separator && is_blank(c); }
};

struct Closing {
  bool known = true;
  const char* after =
      nullptr;  // the separator or '\n' behind the closing quote, or the end; null: the field is not closed
};

// Of the field that was opened just before p.
Closing find_closing(const char* p, const char* end, bool is_last, std::size_t limit, char separator) {
  const auto* const stop = static_cast<std::size_t>(end - p) > limit ? p + limit + 1 : end;
  for (const auto* quote = find_byte(p, stop, '"'); quote; quote = find_byte(quote + 2, stop, '"')) {
    if (quote + 1 < end && quote[1] == '"') continue;
    const auto* const behind = static_cast<std::size_t>(end - quote) > limit ? quote + limit : end;
    const auto* after = std::find_if_not(quote + 1, behind, BlankOf{separator});
    if (after < end && *after == separator) return {true, after};
    after = std::find_if_not(after, behind, [](char c) { return c == '\r'; });
    if (after == end) return {is_last, end};
    return {true, *after == '\n' ? after : nullptr};
  }
  return {is_last || stop < end, nullptr};
}

}  // namespace

RecordEnd find_record_end(const char* begin, const char* end, bool is_last, std::size_t limit, ScanState state,
                          char separator) {
  const auto* p = begin;
  const char* open = begin;
  const char* unclosed = nullptr;
  const char* line_end = nullptr;  // the first one from p on, where it is not before p
  const char* quote = nullptr;     // the first one from p on in p's line, likewise
  for (;;) {
    if (state == ScanState::field_start) {
      p = std::find_if_not(p, end, BlankOf{separator});
      if (p == end) return {is_last ? end : nullptr, nullptr, p, state};
      state = *p == '"' ? ScanState::quoted : ScanState::unquoted;
      open = p;
      if (state == ScanState::quoted) ++p;
    }
    if (state == ScanState::quoted) {
      const auto closing = find_closing(p, end, is_last, limit, separator);
      if (!closing.known) {
        const bool opened_here = open < p;
        return {nullptr, nullptr, open, opened_here ? ScanState::field_start : ScanState::quoted};
      }
      if (!closing.after) {
        unclosed = open;
        p = open;
        state = ScanState::rest_of_line;
      } else {
        if (closing.after == end || *closing.after == '\n') {
          return {std::min(closing.after + 1, end), nullptr, nullptr, ScanState::field_start};
        }
        p = closing.after + 1;
        state = ScanState::field_start;
        continue;
      }
    }
    if (!line_end || line_end < p) line_end = find_byte(p, end, '\n');
    const auto* const stop = line_end ? line_end : end;
    if (state == ScanState::unquoted) {
      // The next quote may be many fields ahead: those before it need no look.
      if (quote < p) quote = std::find(p, stop, '"');
      const auto* const comma = quote < stop ? find_byte(p, stop, separator) : nullptr;
      if (comma) {
        p = comma + 1;
        state = ScanState::field_start;
        continue;
      }
    }
    if (line_end || is_last) return {line_end ? line_end + 1 : end, unclosed, nullptr, ScanState::field_start};
    if (state == ScanState::rest_of_line) return {nullptr, unclosed, end, state};
    // What follows may belong to a field that has begun with blanks only.
    const auto* field = end;
    while (field > p && BlankOf{separator}(field[-1])) --field;
    const bool blanks_only = field > p && field[-1] == separator;
    return {nullptr, nullptr, blanks_only ? field : end, blanks_only ? ScanState::field_start : state};
  }
}

QuotedField take_quoted_field(char*& p, char* end, char separator) {
  auto* begin = std::find_if_not(p, end, BlankOf{separator});
  if (begin == end || *begin != '"') {
    p = std::find(begin, end, separator);
    auto* stop = p;
    while (stop > begin && is_blank(stop[-1])) --stop;
    return {begin, stop, false};
  }
  auto* out = ++begin;
  for (auto* in = begin; in < end; ++in) {
    if (*in == '"' && (++in == end || *in != '"')) {
      p = std::find(in, end, separator);
      return {begin, out, true};
    }
    *out++ = *in;
  }
  p = end;
  return {begin, out, true};
}

}  // namespace cohort
