#include "ingest/records/record_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/leading_digits.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/quoted_record.hpp"
#include "ingest/records/record_cutter.hpp"

namespace cohort {

namespace {

constexpr std::size_t batch_records = 128;
constexpr double largest_weight = std::numeric_limits<float>::max();

// What stands between two fields. at(): a separator starts here; find(): the next one, or end; next(): behind it.
template <char character>
struct OneCharacter {
  static bool at(const char* p, const char* end) { return p == end || *p == character; }
  static char* find(char* p, char* end) {
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

std::string with_thousands(std::size_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

}  // namespace

RecordParser::RecordParser(std::int64_t file, const FileLayout& layout, std::string header, const WeightRule& rule,
                           IdInterner& first, IdInterner& second, LocalPairs& pairs, ParseTally& tally)
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
  batch_.resize(batch_records);
}

bool RecordParser::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

bool RecordParser::wrong_field_count(std::int64_t found) {
  const bool may_be_commas = layout_.format == TextFormat::csv && found > layout_.columns;
  return fail("the line has " + counted(found, "column") + ", the first line has " + std::to_string(layout_.columns) +
              (may_be_commas ? "; a field that holds a comma needs double quotes around it" : ""));
}

std::string_view RecordParser::without_blanks(Field field) {
  while (field.begin < field.end && is_blank(*field.begin)) ++field.begin;
  while (field.begin < field.end && is_blank(field.end[-1])) --field.end;
  return {field.begin, static_cast<std::size_t>(field.end - field.begin)};
}

bool RecordParser::take_id(Field field, const char* name, Token& token) {
  const auto text = without_blanks(field);
  if (text.empty()) return fail(std::string("the ") + name + " is empty");
  // Blanks inside quotes are meant.
  const auto length = field.quoted ? static_cast<std::size_t>(field.end - field.begin) : text.size();
  if (length > max_id_bytes) {
    return fail(std::string("the ") + name + " has " + with_thousands(length) + " bytes; an id may have at most " +
                with_thousands(max_id_bytes));
  }
  token = make_token({field.quoted ? field.begin : text.data(), length});
  return true;
}

bool RecordParser::take_weight(Field field, float& weight) {
  std::uint32_t integer = 0;
  if (const auto [end, error] = std::from_chars(field.begin, field.end, integer);
      end == field.end && error == std::errc()) [[likely]] {
    weight = static_cast<float>(integer);
    return true;
  }
  const auto text = without_blanks(field);
  const auto number = read_number(text);
  if (!number.fault) weight = static_cast<float>(number.value);
  const char* const fault = number.fault       ? number.fault
                            : number.value < 0 ? "is negative; weights say how strong an interaction is, rescale them "
                                                 "or name another column"
                            : !std::isfinite(weight) ? "is not finite as a number of 32 bits; rescale the weights"
                            : weight == 0 && number.value > 0
                                ? "is too small for a number of 32 bits; rescale the weights"
                                : nullptr;
  if (fault) return fail("the weight " + quoted(text) + " " + fault);
  return true;
}

bool RecordParser::take_time(Field field, double& time) {
  std::uint32_t integer = 0;
  if (const auto [end, error] = std::from_chars(field.begin, field.end, integer);
      end == field.end && error == std::errc()) [[likely]] {
    time = integer;
    return true;
  }
  const auto text = without_blanks(field);
  const auto number = read_number(text);
  if (number.fault) return fail("the time " + quoted(text) + " " + number.fault);
  time = number.value;
  return true;
}

bool RecordParser::take_event(Field field, double& factor) {
  const auto name = without_blanks(field);
  for (const auto& [event, event_factor] : rule_.events) {
    if (name == event) {
      factor = event_factor;
      return true;
    }
  }
  std::string known;
  for (const auto& [event, event_factor] : rule_.events) known += (known.empty() ? "" : ", ") + event;
  return fail("the event " + quoted(name) + " is not in graph.event_weights (" + known +
              "); add it there, with weight 0 to drop such records");
}

bool RecordParser::take_field(std::int32_t column, Field field, Record& record) {
  if (column == layout_.first) return take_id(field, first_name_, record.first);
  if (column == layout_.second) return take_id(field, second_name_, record.second);
  if (column == layout_.weight) return take_weight(field, record.weight);
  if (column == layout_.time) return take_time(field, record.time);
  if (column == event_column_) return take_event(field, record.event_factor);
  return true;
}

template <class Separator>
bool RecordParser::parse_line(char* begin, char* end, Record& record) {
  auto* p = begin;
  for (std::int32_t column = 0;; ++column) {
    const bool is_first = column == layout_.first;
    if (is_first || column == layout_.second) {
      // An id that is a canonical number ends with its digits: no search for the separator, no bytes kept.
      const auto [value, digits] = leading_digits(p, end, block_end_);
      auto& token = is_first ? record.first : record.second;
      if (digits > 0 && digits <= numeric_token_digits && (*p != '0' || digits == 1) && Separator::at(p + digits, end))
          [[likely]] {
        token = {value, nullptr, 0};
        (is_first ? first_ : second_).prefetch(token);
        p += digits;
      } else {
        auto* field_end = Separator::find(p, end);
        if (!take_id({p, field_end}, is_first ? first_name_ : second_name_, token)) return false;
        (is_first ? first_ : second_).prefetch(token);
        p = field_end;
      }
    } else {
      auto* field_end = Separator::find(p, end);
      if (!take_field(column, {p, field_end}, record)) return false;
      p = field_end;
    }
    if (p == end) {
      if (column + 1 == layout_.columns) [[likely]]
        return true;
      return wrong_field_count(column + 1);
    }
    p = Separator::next(p, end);
    if (column + 1 == layout_.columns) {
      std::int64_t more = 1;
      while ((p = Separator::find(p, end)) != end) {
        p = Separator::next(p, end);
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
    const auto field = take_quoted_field(p, end);
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

void RecordParser::flush() {
  const auto batch = std::span<const Record>(batch_).first(batched_);
  for (const auto& record : batch) {
    first_.prefetch_text(record.first);
    second_.prefetch_text(record.second);
  }
  auto at = pairs_.first.size();
  pairs_.first.resize(at + batched_);
  pairs_.second.resize(at + batched_);
  pairs_.weight.resize(at + batched_);
  if (pairs_.has_time) pairs_.time.resize(at + batched_);
  for (const auto& record : batch) {
    auto weight = record.weight;
    if (event_column_ >= 0) {
      if (record.event_factor == 0) {
        ++tally_.dropped_events;
        continue;
      }
      // One rounding, at the end; beyond float32's range the largest number stands, as where repeats are summed.
      weight = static_cast<float>(std::min(static_cast<double>(weight) * record.event_factor, largest_weight));
    }
    if (weight < static_cast<float>(rule_.min_weight)) {
      ++tally_.below_min_weight;
      continue;
    }
    if (rule_.drop_zero && weight == 0.0F) {
      ++tally_.zero_weight;
      continue;
    }
    pairs_.first[at] = first_.intern(record.first);
    pairs_.second[at] = second_.intern(record.second);
    pairs_.weight[at] = weight;
    if (pairs_.has_time) pairs_.time[at] = record.time;
    ++at;
  }
  pairs_.first.resize(at);
  pairs_.second.resize(at);
  pairs_.weight.resize(at);
  if (pairs_.has_time) pairs_.time.resize(at);
  tally_.records += static_cast<std::int64_t>(batched_);
  batched_ = 0;
}

// Room for the lines to come, as long as those of the block just parsed (there were `before` records then): lists that
// double as they grow touch three times the memory, and fresh pages cost more than the parsing.
void RecordParser::make_room(const LineBlock& block, std::size_t before) {
  if (block.left == 0) return;
  const auto records = pairs_.first.size();
  const auto last = records - before;
  const auto blocks_left = static_cast<double>(block.left) / static_cast<double>(block.size);
  const auto to_come = static_cast<std::size_t>(1.02 * blocks_left * static_cast<double>(last));
  if (pairs_.first.capacity() - records > std::min(to_come, 2 * last)) return;
  // No less than doubling: with many files, each of which asks, the copies would add up.
  const auto wanted = std::max(records + last + to_come, 2 * pairs_.first.capacity());
  pairs_.first.reserve(wanted);
  pairs_.second.reserve(wanted);
  pairs_.weight.reserve(wanted);
  if (pairs_.has_time) pairs_.time.reserve(wanted);
}

void RecordParser::keep_bad_line(std::int64_t offset, std::int64_t line, std::int64_t lines, std::string reason) {
  tally_.bad_lines += lines;
  if (lines > 1) reason += " (a record of " + std::to_string(lines) + " lines)";
  if (file_bad_lines_++ < bad_lines_reported) {
    tally_.first_bad_lines.push_back({file_, offset, line, std::move(reason)});
  }
}

template <class Separator>
void RecordParser::parse_lines(const LineBlock& block) {
  auto* const block_end = block.text + block.size;
  block_end_ = block_end;
  const auto before = pairs_.first.size();
  const bool csv = layout_.format == TextFormat::csv;
  const bool tabs = layout_.format == TextFormat::tsv || layout_.format == TextFormat::inter;
  RecordCutter cutter(block, {.quotes = csv, .tabs = tabs, .limit = line_limit(layout_)});
  while (cutter.next()) {
    auto* begin = cutter.begin();
    auto* end = cutter.end();
    const auto size = static_cast<std::size_t>(end - begin);
    if (size == header_.size() && std::memcmp(begin, header_.data(), size) == 0) [[unlikely]] {
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
      good = cutter.has_quotes() ? parse_quoted_line(begin, end, record) : parse_line<Separator>(begin, end, record);
      if (good) [[likely]]
        add();
    }
    if (!good) [[unlikely]]
      keep_bad_line(cutter.offset(), cutter.line_number(), cutter.lines(), std::move(reason_));
  }
  flush();
  make_room(block, before);
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
      return parse_lines<OneCharacter<','>>(block);
    case TextFormat::ml:
      return parse_lines<TwoColons>(block);
    case TextFormat::ssv:
    case TextFormat::lightgcn:
      return parse_lines<Blanks>(block);
    case TextFormat::tsv:
    case TextFormat::inter:
      return parse_lines<OneCharacter<'\t'>>(block);
  }
}

}  // namespace cohort
