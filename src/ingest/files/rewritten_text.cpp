#include "ingest/files/rewritten_text.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ingest/records/blanks.hpp"

namespace cohort {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 18;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// What a letter behind a backslash stands for; '\0': nothing.
char meaning_of(char letter) {
  switch (letter) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    default:
      return '\0';
  }
}

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  std::size_t read(char* data, std::size_t size) override {
    const auto got = std::min(size, text_.size());
    std::memcpy(data, text_.data(), got);
    text_.remove_prefix(got);
    return got;
  }

 private:
  std::string_view text_;
};

}  // namespace

char separator_after(const Dialect& dialect) {
  const bool known = dialect.separator == "," || dialect.separator == ";" || dialect.separator == "|";
  return known ? dialect.separator[0] : rare_separator;
}

RewrittenText::RewrittenText(std::unique_ptr<ByteSource> source, Dialect dialect, std::size_t record_limit)
    : source_(std::move(source)),
      dialect_(std::move(dialect)),
      record_limit_(record_limit),
      separator_(separator_after(dialect_)) {}

void RewrittenText::fill() {
  text_.erase(0, begin_);
  begin_ = 0;
  const auto filled = text_.size();
  text_.resize(filled + piece_bytes);
  const auto got = source_->read(text_.data() + filled, piece_bytes);
  text_.resize(filled + got);
  source_ended_ = got == 0;
  // The last line may lack its end.
  if (source_ended_ && !text_.empty() && text_.back() != '\n') text_ += '\n';
}

// Bytes of a line end that stands here, "\r\n" or "\n"; 0: none does.
std::size_t RewrittenText::line_end_at(std::size_t at) const {
  const auto end = text_.find_first_not_of('\r', at);
  return end != std::string::npos && text_[end] == '\n' ? end + 1 - at : 0;
}

// Bytes of a separator that stands here; 0: none does.
std::size_t RewrittenText::separator_at(std::size_t at) const {
  if (dialect_.separator != " ")
    return text_.compare(at, dialect_.separator.size(), dialect_.separator) == 0 ? dialect_.separator.size() : 0;
  auto end = at;
  while (is_blank(text_[end])) ++end;
  return end - at;
}

// Where a backslash stands: appends what it and the bytes behind it mean.
bool RewrittenText::take_escape(std::size_t& at) {
  if (!dialect_.escapes || text_[at] != '\\') return false;
  const auto next = at + 1;
  if (const auto line_end = line_end_at(next); line_end > 0) {
    // Of the last line it is a backslash.
    if (next + line_end == text_.size()) return false;
    field_.append(text_, next, line_end);
    at = next + line_end;
    return true;
  }
  const auto separator = separator_at(next);
  if (separator > 0 || text_[next] == '"' || text_[next] == '\\') {
    const auto bytes = std::max<std::size_t>(1, separator);
    field_.append(text_, next, bytes);
    at = next + bytes;
    return true;
  }
  const char meant = dialect_.letters ? meaning_of(text_[next]) : '\0';
  if (meant == '\0') return false;
  field_ += meant;
  at = next + 1;
  return true;
}

// Behind the quote that opens a field.
RewrittenText::Taken RewrittenText::take_quoted(std::size_t& at) {
  const auto opened = at;
  while (at < text_.size()) {
    if (at - begin_ > record_limit_) break;
    if (take_escape(at)) continue;
    if (text_[at] != '"') {
      field_ += text_[at++];
      continue;
    }
    if (at + 1 < text_.size() && text_[at + 1] == '"') {
      field_ += '"';
      at += 2;
      continue;
    }
    ++at;
    return Taken::whole;
  }
  if (at == text_.size() && !source_ended_) return Taken::more;
  fault_ = opened - 1;
  return Taken::malformed;
}

void RewrittenText::hand_out_field(bool quoted) {
  const bool plain = !quoted && field_.find_first_of(std::string("\"\n\r") + separator_) == std::string::npos;
  if (plain) {
    record_ += field_;
    return;
  }
  record_ += '"';
  for (const char c : field_) {
    if (c == '"') record_ += '"';
    record_ += c;
  }
  record_ += '"';
}

// The field that begins at `at`, and what separates it from the next one.
RewrittenText::Taken RewrittenText::take_field(std::size_t& at, bool& last) {
  field_.clear();
  auto start = at;
  while (start < text_.size() && is_blank(text_[start]) && separator_at(start) == 0) ++start;
  const bool quoted = dialect_.quotes && start < text_.size() && text_[start] == '"';
  if (quoted) {
    at = start + 1;
    if (const auto taken = take_quoted(at); taken != Taken::whole) return taken;
    while (at < text_.size() && is_blank(text_[at]) && separator_at(at) == 0) ++at;
  }
  for (;;) {
    // A separator may be cut by the end of what was read.
    if (text_.size() < at + 2 * dialect_.separator.size() + 2 && !source_ended_) return Taken::more;
    if (const auto bytes = line_end_at(at); bytes > 0) {
      at += bytes;
      last = true;
      break;
    }
    if (const auto bytes = separator_at(at); bytes > 0) {
      at += bytes;
      if (at == text_.size() && !source_ended_) return Taken::more;
      break;
    }
    if (quoted) {
      fault_ = start;
      return Taken::malformed;
    }
    if (!take_escape(at)) field_ += text_[at++];
  }
  hand_out_field(quoted);
  return Taken::whole;
}

RewrittenText::Taken RewrittenText::take_fields(std::size_t& at) {
  record_.clear();
  const bool by_blanks = dialect_.separator == " ";
  if (by_blanks) at += separator_at(at);
  if (first_line_ && dialect_.row_names) record_ += separator_;
  bool last = false;
  bool first = true;
  while (!last) {
    // Blanks at the end of a line separate nothing.
    if (const auto bytes = line_end_at(at); by_blanks && !first && bytes > 0) {
      at += bytes;
      break;
    }
    if (!first) record_ += separator_;
    first = false;
    if (const auto taken = take_field(at, last); taken != Taken::whole) return taken;
  }
  if (first_line_ && dialect_.ended) record_ += separator_;
  record_ += '\n';
  return Taken::whole;
}

// Makes one record of the text; false: more of it is needed, or there is none.
bool RewrittenText::take_record() {
  if (begin_ == text_.size()) return false;
  if (first_line_ && text_.compare(begin_, byte_order_mark.size(), byte_order_mark) == 0) {
    made_ += byte_order_mark;
    begin_ += byte_order_mark.size();
  }
  if (in_long_line_) {
    const auto line_end = text_.find('\n', begin_);
    const auto end = line_end == std::string::npos ? text_.size() : line_end + 1;
    made_.append(text_, begin_, end - begin_);
    begin_ = end;
    in_long_line_ = line_end == std::string::npos;
    return true;
  }
  if (const auto blank = line_end_at(begin_); blank > 0) {
    made_ += '\n';
    begin_ += blank;
    return true;
  }
  if (dialect_.comment != '\0' && text_[begin_] == dialect_.comment) {
    const auto line_end = text_.find('\n', begin_);
    if (line_end == std::string::npos) return false;
    made_.append(text_, begin_, line_end + 1 - begin_);
    begin_ = line_end + 1;
    return true;
  }
  auto at = begin_;
  const auto taken = take_fields(at);
  const bool cut = taken == Taken::malformed && text_.find('\n', fault_) == std::string::npos && !source_ended_;
  if (taken == Taken::more || cut) {
    // What no reader takes for a record is handed on as it is, for it to say so.
    in_long_line_ = text_.size() - begin_ > record_limit_;
    return in_long_line_;
  }
  if (taken == Taken::whole) {
    made_ += record_;
    begin_ = at;
  } else {
    give_up_record();
  }
  first_line_ = false;
  return true;
}

// Makes a malformed record of the lines up to that of the quote at fault_.
void RewrittenText::give_up_record() {
  const auto* const begin = text_.data() + begin_;
  const auto* const fault = text_.data() + fault_;
  const auto lines = std::count(begin, fault, '\n');
  made_.append(static_cast<std::size_t>(lines), '\n');
  const auto line_begin = lines == 0 ? begin_ : text_.rfind('\n', fault_) + 1;
  const auto column = std::count_if(begin + (line_begin - begin_), fault, [](char c) { return (c & 0xC0) != 0x80; });
  made_.append(static_cast<std::size_t>(column), ' ').append("\".\" .\n");
  begin_ = std::min(text_.find('\n', fault_), text_.size() - 1) + 1;
}

std::size_t RewrittenText::read(char* data, std::size_t size) {
  while (handed_out_ == made_.size()) {
    made_.clear();
    handed_out_ = 0;
    while (made_.size() < piece_bytes && take_record()) continue;
    if (!made_.empty()) break;
    if (source_ended_) return 0;
    fill();
  }
  const auto count = std::min(size, made_.size() - handed_out_);
  std::copy_n(made_.data() + handed_out_, count, data);
  handed_out_ += count;
  return count;
}

std::int64_t RewrittenText::source_line(std::int64_t made) {
  std::int64_t first_made = 1;
  std::int64_t first_of_source = 1;
  for (;;) {
    made_.clear();
    const auto begin = begin_;
    if (take_record()) {
      const auto lines = std::count(made_.begin(), made_.end(), '\n');
      const auto own = std::count(text_.data() + begin, text_.data() + begin_, '\n');
      if (made < first_made + lines) {
        return first_of_source + std::min(made - first_made, std::max<std::int64_t>(1, own) - 1);
      }
      first_made += lines;
      first_of_source += own;
    } else if (source_ended_) {
      return first_of_source;
    } else {
      fill();
    }
  }
}

std::string rewritten(std::string_view text, const Dialect& dialect) {
  RewrittenText source(std::make_unique<TextSource>(text), dialect);
  std::string result;
  char piece[4096];
  for (std::size_t got = 0; (got = source.read(piece, sizeof(piece))) > 0;) result.append(piece, got);
  return result;
}

}  // namespace cohort
