#include "ingest/records/record_cutter.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/utf8.hpp"
#include "ingest/records/quoted_record.hpp"

namespace cohort {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view view(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool ends_line(char c) {
  return c == '\r' || c == '\n';
}

std::string separator_word(char separator) {
  if (separator == '\x01') return "separator";
  return separator == ',' ? "comma" : std::string("\"") + separator + "\"";
}

struct RareBytes {
  bool nul, quote, carriage_return, beyond_ascii;
};

// All at once: a loop that compilers turn into vector instructions.
RareBytes look_for_rare_bytes(std::string_view text) {
  unsigned char nul = 0;
  unsigned char quote = 0;
  unsigned char carriage_return = 0;
  unsigned char any_bits = 0;
  for (const char c : text) {
    nul |= static_cast<unsigned char>(c == '\0');
    quote |= static_cast<unsigned char>(c == '"');
    carriage_return |= static_cast<unsigned char>(c == '\r');
    any_bits |= static_cast<unsigned char>(c);
  }
  return {nul != 0, quote != 0, carriage_return != 0, any_bits >= 0x80};
}

// A carriage return that belongs to no line end. Every line of the text ends in '\n'.
bool has_lone_return(std::string_view text) {
  for (auto at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (!ends_line(text[at + 1])) return true;
  }
  return false;
}

// The first carriage return outside quotes; null: there is none.
const char* find_unquoted_return(const char* p, const char* end, char separator) {
  while (p < end) {
    p = std::find_if_not(p, end, [&](char c) { return c != separator && is_blank(c); });
    if (p < end && *p == '"') {
      for (++p; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); ++p) {
        if (*p == '"') ++p;
      }
    }
    for (; p < end && *p != separator; ++p) {
      if (*p == '\r') return p;
    }
    if (p < end) ++p;
  }
  return nullptr;
}

}  // namespace

RecordCutter::RecordCutter(const LineBlock& block, const Rules& rules)
    : block_(block), rules_(rules), next_(block.text), block_end_(block.text + block.size) {
  const std::string_view text(block.text, block.size);
  if (block.offset == 0 && text.starts_with(byte_order_mark)) next_ += byte_order_mark.size();
  const auto found = look_for_rare_bytes(text);
  quote_in_block_ = rules.quotes && !rules.json && found.quote;
  nul_in_block_ = found.nul;
  return_in_block_ = found.carriage_return && has_lone_return(text);
  mark_in_block_ = found.beyond_ascii && text.find(byte_order_mark) != std::string_view::npos;
  invalid_in_block_ = found.beyond_ascii && find_invalid_utf8(text) != std::string_view::npos;
  long_block_ = block.size > rules.limit;
  rare_ = quote_in_block_ || nul_in_block_ || return_in_block_ || mark_in_block_ || invalid_in_block_ || long_block_;
}

bool RecordCutter::is_blank_line() const {
  return std::all_of(begin_, end_, [&](char c) { return c == ' ' || (c == '\t' && !rules_.tabs); });
}

void RecordCutter::find_fault(std::string what, const char* where) {
  fault_ = std::move(what);
  const auto before = view(begin_, where);
  fault_line_ = begin_ + (before.rfind('\n') + 1);
  lines_before_fault_ = std::count(before.begin(), before.end(), '\n');
}

void RecordCutter::take_quotes() {
  has_quotes_ = true;
  const auto record = find_record_end(begin_, block_end_, true, rules_.limit, ScanState::field_start, rules_.separator);
  next_ = begin_ + (record.next - begin_);
  trim_line_end();
  lines_ = std::count(begin_, next_, '\n');
  if (!record.unclosed) return;
  find_fault("", record.unclosed);
  const auto characters = std::count_if(fault_line_, record.unclosed, [](char c) { return (c & 0xC0) != 0x80; });
  fault_ = "the field whose double quote is in column " + std::to_string(characters + 1) +
           " is not closed by another with a " + separator_word(rules_.separator) + " or line end behind it within " +
           std::to_string(rules_.limit >> 20) + " MiB; inside quotes a double quote is written twice";
}

void RecordCutter::take_json() {
  if (!rare_) fault_.clear();
  has_quotes_ = true;
  if (!fault_.empty()) return;
  if (auto fault = rules_.json->read({begin_, static_cast<std::size_t>(end_ - begin_)}); !fault.empty()) {
    find_fault(std::move(fault), begin_);
  }
}

void RecordCutter::examine() {
  fault_.clear();
  lines_before_fault_ = 0;
  has_quotes_ = false;
  if (quote_in_block_ && std::find(begin_, end_, '"') != end_) take_quotes();
  if (!fault_.empty()) return;
  const auto text = view(begin_, end_);
  if (long_block_ && text.size() > rules_.limit) {
    find_fault("the line is longer than " + std::to_string(rules_.limit >> 20) + " MiB", begin_);
  } else if (const auto nul = nul_in_block_ ? text.find('\0') : std::string_view::npos; nul != std::string_view::npos) {
    find_fault("the line holds a NUL byte; the file must be text in UTF-8", begin_ + nul);
  } else if (const auto bad = invalid_in_block_ ? find_invalid_utf8(text) : std::string_view::npos;
             bad != std::string_view::npos) {
    find_fault("", begin_ + bad);
    fault_ =
        not_utf8(view(fault_line_, end_), static_cast<std::size_t>(begin_ + bad - fault_line_)).append(convert_to_utf8);
  } else if (mark_in_block_ && text.starts_with(byte_order_mark)) {
    find_fault("the line begins with a byte order mark, as files do that were joined end to end; remove it", begin_);
  } else if (return_in_block_) {
    const auto* const stray =
        has_quotes_ ? find_unquoted_return(begin_, end_, rules_.separator) : std::find(begin_, end_, '\r');
    if (stray && stray != end_) {
      find_fault(
          "the line holds a carriage return that does not end it; convert the line ends (tr '\\r' '\\n' < OLD > NEW)",
          stray);
    }
  }
}

}  // namespace cohort
