#include "ingest/files/json_array.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 16;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

bool is_json_array(std::string_view head) {
  if (head.starts_with(byte_order_mark)) head.remove_prefix(byte_order_mark.size());
  const auto begin = std::find_if_not(head.begin(), head.end(), is_space);
  if (begin == head.end() || *begin != '[') return false;
  const auto next = std::find_if_not(begin + 1, head.end(), is_space);
  return next != head.end() && *next == '{';
}

JsonArrayText::JsonArrayText(std::unique_ptr<ByteSource> source, std::string path)
    : source_(std::move(source)), path_(std::move(path)) {}

void JsonArrayText::fail(const std::string& what) const {
  throw InputError(path_ + ": the JSON array " + what + " (byte " + std::to_string(taken_) + ")");
}

void JsonArrayText::take(char c) {
  ++taken_;
  if (place_ == Place::object) {
    lines_ += c == '\n' || c == '\r' ? ' ' : c;
    if (in_string_) {
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      lines_ += '\n';
      place_ = Place::after;
    }
    return;
  }
  if (is_space(c)) return;
  const bool opens = place_ == Place::first || place_ == Place::next;
  if (place_ == Place::before && c == '[') {
    place_ = Place::first;
  } else if (opens && c == '{') {
    place_ = Place::object;
    depth_ = 1;
    lines_ += c;
  } else if (place_ == Place::after && c == ',') {
    place_ = Place::next;
  } else if ((place_ == Place::after || place_ == Place::first) && c == ']') {
    place_ = Place::ended;
  } else if (place_ == Place::ended) {
    fail("is followed by something else; write one array, or an object a line");
  } else if (place_ != Place::before || byte_order_mark.find(c) == std::string_view::npos) {
    fail("holds something other than objects and commas between them; is it whole?");
  }
}

std::size_t JsonArrayText::read(char* data, std::size_t size) {
  while (handed_out_ == lines_.size()) {
    lines_.clear();
    handed_out_ = 0;
    char piece[piece_bytes];
    const auto got = source_->read(piece, sizeof(piece));
    if (got == 0) {
      if (place_ != Place::ended) fail("ends early; is the file whole?");
      return 0;
    }
    for (const char c : std::string_view(piece, got)) take(c);
  }
  const auto count = std::min(size, lines_.size() - handed_out_);
  std::copy_n(lines_.data() + handed_out_, count, data);
  handed_out_ += count;
  return count;
}

}  // namespace cohort
