#include "ingest/records/record_parser.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/error.hpp"
#include "core/words.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/leading_digits.hpp"
#include "ingest/records/quoted_record.hpp"
#include "ingest/records/record_cutter.hpp"

namespace cohort {

namespace {

constexpr std::size_t batch_records = 128;
// Records wait for their look-up as views of their text.
static_assert(batch_records < JsonLines::kept);

// What stands between two fields. at(): a separator starts here; find(): the next one, or end; next(): behind it.
struct OneCharacter {
  char character;
  bool at(const char* p, const char* end) const { return p == end || *p == character; }
  char* find(char* p, char* end) const {
    if (p >= end) return end;
    auto* found = static_cast<char*>(std::memchr(p, character, static_cast<std::size_t>(end - p)));
    return found ? found : end;
  }
  static char* next(char* p, const char*) { return p + 1; }
};

struct Blanks {
  static bool at(const char* p, const char* end) { return p == end || is_blank(*p); }
  static char* find(char* p, char* end) { return std::find_if(p, end, is_blank); }
  static char* next(char* p, char* end) { return std::find_if_not(p, end, is_blank); }
};

struct TwoColons {
  static bool at(const char* p, const char* end) { return p == end || (end - p >= 2 && p[0] == ':' && p[1] == ':'); }
  static char* find(char* p, char* end) {
    while (!at(p, end)) ++p;
    return p;
  }
  static char* next(char* p, const char*) { return p + 2; }
};

// A weight or a time of digits alone, which take_field reads alike; false: it has to.
bool take_whole_number(const FileLayout& layout, std::int32_t column, LeadingDigits number, float& weight,
                       double& time) {
  if (column == layout.weight) {
    if (number.value > UINT32_MAX || number.count > numeric_token_digits) return false;
    weight = static_cast<float>(number.value);
    return true;
  }
  constexpr std::ptrdiff_t digits_of_doubles = 15;
  const auto value = static_cast<double>(number.value);
  if (number.count > digits_of_doubles || layout.compact_dates || !has_told_unit(layout, value)) return false;
  time = seconds_of(layout, value);
  return true;
}

std::string with_thousands(std::size_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

}  // namespace

RecordParser::RecordParser(std::int64_t file, const FileLayout& layout, std::string header, const WeightRule& rule,
                           IdInterner& first, IdInterner& second, LocalPairs& pairs, ParseTally& tally,
                           const std::vector<std::string>& names)
    : file_(file),
      layout_(layout),
      header_(std::move(header)),
      rule_(rule),
      first_(first),
      second_(second),
      pairs_(pairs),
      tally_(tally) {
  first_name_ = layout.role == FileRole::social ? "first user" : "user";
  second_name_ = layout.role == FileRole::social ? "second user" : layout.role == FileRole::labels ? "label" : "item";
  COHORT_CHECK(rule.events.empty() || layout.event >= 0, "events of a file that has none");
  event_column_ = rule.events.empty() ? -1 : layout.event;
  COHORT_CHECK(!rule.part || layout.split >= 0, "parts of a file that has none");
  split_column_ = rule.part ? layout.split : -1;
  batch_.resize(batch_records);
  if (layout.format != TextFormat::json) return;
  std::vector<std::string> keys(names.size());
  for (const auto column : {layout.first, layout.second, layout.weight, layout.time, event_column_, split_column_}) {
    if (column >= 0) keys[column] = names[column];
  }
  json_ = std::make_unique<JsonLines>(std::move(keys));
}

bool RecordParser::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

bool RecordParser::fail_incomplete(std::string reason) {
  incomplete_ = true;
  return fail(std::move(reason));
}

bool RecordParser::wrong_field_count(std::int64_t found) {
  const bool may_be_commas = layout_.format == TextFormat::csv && found > layout_.columns;
  return fail("the line has " + counted(found, "column") + ", the first line has " + std::to_string(layout_.columns) +
              (may_be_commas ? "; a field that holds a comma needs double quotes around it" : ""));
}

// Dialects are told from the beginning of a file; further on, what is escaped makes lines malformed.
void RecordParser::tell_escape(std::string_view record) {
  const bool tabs = layout_.format == TextFormat::tsv;
  if (layout_.unescaped || (!tabs && layout_.format != TextFormat::csv)) return;
  const char separator = tabs ? '\t' : layout_.separator;
  for (auto at = record.find('\\'); at != std::string_view::npos; at = record.find('\\', at + 1)) {
    const char next = at + 1 < record.size() ? record[at + 1] : '\n';
    if (next != separator && next != '\n' && (tabs || next != '"')) continue;
    reason_ += std::string("; a backslash stands in front of a ") +
               (next == '"'    ? "double quote"
                : next == '\n' ? "line end"
                               : "separator") +
               ", as where databases escape it, but nothing does so near the beginning of the file: if that is meant, "
               "put such a record first, or write the file without escapes";
    return;
  }
}

std::string_view RecordParser::without_blanks(Field field) {
  while (field.begin < field.end && is_blank(*field.begin)) ++field.begin;
  while (field.begin < field.end && is_blank(field.end[-1])) --field.end;
  return {field.begin, static_cast<std::size_t>(field.end - field.begin)};
}

bool RecordParser::take_id(Field field, const char* name, Token& token) {
  const auto text = without_blanks(field);
  if (text.empty()) return fail_incomplete(std::string("the ") + name + " is empty");
  // Blanks inside quotes are meant.
  const auto length = field.quoted ? static_cast<std::size_t>(field.end - field.begin) : text.size();
  if (length > max_id_bytes) {
    return fail(std::string("the ") + name + " has " + with_thousands(length) + " bytes; an id may have at most " +
                with_thousands(max_id_bytes));
  }
  token = make_token({field.quoted ? field.begin : text.data(), length});
  return true;
}

bool RecordParser::take_field(std::int32_t column, Field field, Record& record) {
  if (column == layout_.first) return take_id(field, first_name_, record.first);
  if (column == layout_.second) return take_id(field, second_name_, record.second);
  if (column == layout_.weight) return take_weight(field, record.weight);
  if (column == layout_.time) return take_time(field, record.time);
  if (column == event_column_) return take_event(field, record.event_factor);
  if (column == split_column_) return take_split(field, record.part);
  return true;
}

template <class Separator>
bool RecordParser::parse_line(const Separator& separator, char* begin, char* end, Record& record) {
  auto* p = begin;
  for (std::int32_t column = 0;; ++column) {
    const bool is_first = column == layout_.first;
    if (is_first || column == layout_.second) {
      // An id that is a canonical number ends with its digits: no search for the separator, no bytes kept.
      const auto [value, digits] = leading_digits(p, end, block_end_);
      auto& token = is_first ? record.first : record.second;
      if (digits > 0 && digits <= numeric_token_digits && (*p != '0' || digits == 1) && separator.at(p + digits, end))
          [[likely]] {
        token = {value, nullptr, 0};
        (is_first ? first_ : second_).prefetch(token);
        p += digits;
      } else {
        auto* field_end = separator.find(p, end);
        if (!take_id({p, field_end}, is_first ? first_name_ : second_name_, token)) return false;
        (is_first ? first_ : second_).prefetch(token);
        p = field_end;
      }
    } else {
      const auto digits = leading_digits(p, end, block_end_);
      const bool used = column == layout_.weight || column == layout_.time;
      const bool passed_over = !used && column != event_column_ && column != split_column_;
      if (digits.count > 0 && separator.at(p + digits.count, end) &&
          (passed_over || (used && take_whole_number(layout_, column, digits, record.weight, record.time))))
          [[likely]] {
        p += digits.count;
      } else {
        auto* field_end = separator.find(p, end);
        if (!take_field(column, {p, field_end}, record)) return false;
        p = field_end;
      }
    }
    if (p == end) {
      if (column + 1 == layout_.columns) [[likely]]
        return true;
      return wrong_field_count(column + 1);
    }
    p = separator.next(p, end);
    if (column + 1 == layout_.columns) {
      std::int64_t more = 1;
      while ((p = separator.find(p, end)) != end) {
        p = separator.next(p, end);
        ++more;
      }
      return wrong_field_count(layout_.columns + more);
    }
  }
}

// A record of csv with double quotes, which RecordCutter has found to be well formed.
bool RecordParser::parse_quoted_line(char* begin, char* end, Record& record) {
  auto* p = begin;
  for (std::int32_t column = 0;; ++column) {
    const auto field = take_quoted_field(p, end, layout_.format == TextFormat::csv ? layout_.separator : ',');
    if (!take_field(column, {field.begin, field.end, field.quoted}, record)) return false;
    if (p == end) return column + 1 == layout_.columns || wrong_field_count(column + 1);
    ++p;
  }
}

// A line is taken whole or not at all, so its records wait until its end.
bool RecordParser::parse_adjacency(char* begin, char* end) {
  adjacent_.clear();
  Record record;
  auto* p = Blanks::find(begin, end);
  if (!take_id({begin, p}, first_name_, record.first)) return false;
  while (p < end) {
    auto* const field = Blanks::next(p, end);
    p = Blanks::find(field, end);
    if (!take_id({field, p}, second_name_, record.second)) return false;
    second_.prefetch(record.second);
    adjacent_.push_back(record);
  }
  for (const auto& item : adjacent_) {
    batch_[batched_] = item;
    add();
  }
  return true;
}

void RecordParser::add() {
  if (++batched_ == batch_records) flush();
}

template <class Separator>
void RecordParser::parse_lines(const LineBlock& block, const Separator& separator) {
  auto* const block_end = block.text + block.size;
  block_end_ = block_end;
  const auto before = pairs_.first.size();
  const bool csv = layout_.format == TextFormat::csv;
  const bool tabs =
      layout_.format == TextFormat::tsv || layout_.format == TextFormat::inter || layout_.separator == '\t';
  RecordCutter cutter(block, {.quotes = csv,
                              .tabs = tabs,
                              .limit = line_limit(layout_),
                              .separator = layout_.separator,
                              .comment = layout_.comment,
                              .ruled = layout_.ruled,
                              .json = json_.get()});
  while (cutter.next()) {
    auto* begin = cutter.begin();
    auto* end = cutter.end();
    const auto size = static_cast<std::size_t>(end - begin);
    if (size == header_.size() && size > 0 && std::memcmp(begin, header_.data(), size) == 0) [[unlikely]] {
      ++tally_.repeated_headers;
      continue;
    }
    tally_.lines += cutter.lines();
    if constexpr (std::is_same_v<Separator, Blanks>) {
      begin = Blanks::next(begin, end);
      while (end > begin && is_blank(end[-1])) --end;
    }
    bool good = true;
    if (!cutter.fault().empty()) [[unlikely]] {
      good = fail(cutter.fault());
    } else if (layout_.format == TextFormat::lightgcn) {
      good = parse_adjacency(begin, end);
    } else {
      auto& record = batch_[batched_];
      good = cutter.has_quotes() ? parse_quoted_line(begin, end, record) : parse_line(separator, begin, end, record);
      if (good) [[likely]]
        add();
    }
    if (!good) [[unlikely]] {
      tell_escape({begin, static_cast<std::size_t>(end - begin)});
      if (std::exchange(incomplete_, false) && rule_.drop_incomplete) {
        ++tally_.incomplete;
      } else {
        keep_bad_line(cutter.offset(), cutter.line_number(), cutter.lines(), std::move(reason_));
      }
    }
  }
  tally_.comments += cutter.comments();
  flush();
  make_room(static_cast<double>(block.left) / static_cast<double>(block.size), before);
}

void RecordParser::parse(const LineBlock& block) {
  if (block.oversized) {
    tally_.lines += block.lines;
    keep_bad_line(block.offset, block.line, block.lines,
                  "the line is longer than " + std::to_string(line_limit(layout_) >> 20) + " MiB");
    return;
  }
  switch (layout_.format) {
    case TextFormat::csv:
      return parse_lines(block, OneCharacter{layout_.separator});
    case TextFormat::json:
      return parse_lines(block, OneCharacter{','});
    case TextFormat::ml:
      return parse_lines(block, TwoColons{});
    case TextFormat::ssv:
    case TextFormat::lightgcn:
      return parse_lines(block, Blanks{});
    case TextFormat::tsv:
    case TextFormat::inter:
      return parse_lines(block, OneCharacter{'\t'});
  }
}

}  // namespace cohort
