// What a RecordParser reads in the columns of weights, times, events and splits.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "core/utf8.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/record_parser.hpp"
#include "ingest/records/time_text.hpp"

namespace cohort {

namespace {

// Thousands may stand apart where that cannot be taken for anything else.
NumberText read_weight(std::string_view text, const FileLayout& layout) {
  if (text == "true" || text == "True" || text == "TRUE") return {1.0};
  if (text == "false" || text == "False" || text == "FALSE") return {0.0};
  if (!layout.decimal_comma) {
    const bool may_be_grouped = layout.format == TextFormat::csv && layout.separator == ',';
    return read_number(may_be_grouped && text.find(',') != std::string_view::npos ? without_thousands(text, ',', '.')
                                                                                  : std::string(text));
  }
  if (may_be_thousands(text, '.')) {
    return {0,
            "may be a thousand or more, or little more than one, in a file with decimal commas; write it without "
            "what separates thousands"};
  }
  const auto number = with_decimal_point(text);
  return read_number(number.empty() ? without_thousands(text, '.', ',') : number);
}

}  // namespace

std::optional<SplitPart> split_part_of(std::string_view word) {
  std::string small(word);
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  const auto is = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, std::string_view(small)) != words.end();
  };
  if (is({"train", "training", "0", "0.0", "false"})) return SplitPart::train;
  if (is({"test", "testing", "1", "1.0", "true"})) return SplitPart::test;
  if (is({"validation", "valid", "validate", "val", "dev"})) return SplitPart::validation;
  return std::nullopt;
}

bool RecordParser::take_weight(Field field, float& weight) {
  std::uint32_t integer = 0;
  if (const auto [end, error] = std::from_chars(field.begin, field.end, integer);
      end == field.end && error == std::errc()) [[likely]] {
    weight = static_cast<float>(integer);
    return true;
  }
  const auto text = without_blanks(field);
  const auto number = read_weight(text, layout_);
  if (!number.fault) weight = static_cast<float>(number.value);
  const char* const fault = number.fault       ? number.fault
                            : number.value < 0 ? "is negative; weights say how strong an interaction is, rescale them "
                                                 "or name another column"
                            : !std::isfinite(weight) ? "is not finite as a number of 32 bits; rescale the weights"
                            : weight == 0 && number.value > 0
                                ? "is too small for a number of 32 bits; rescale the weights"
                                : nullptr;
  if (!fault) return true;
  const auto why = "the weight " + quoted(text) + " " + fault;
  return is_missing(text) || number.value < 0 ? fail_incomplete(why) : fail(why);
}

// A date of which it is counted in which order its month and day are, where that had to be known.
std::optional<double> RecordParser::read_time_text(std::string_view text) {
  if (layout_.compact_dates) return read_compact_date(text);
  const auto date = read_date(text, layout_.date_order);
  if (!date) return std::nullopt;
  if (!date->numeric) return date->seconds;
  if (layout_.given_order && date->shown != DateOrder::automatic && date->shown != layout_.date_order) {
    return std::nullopt;
  }
  ++(date->shown == DateOrder::automatic     ? dates_.either
     : date->shown == DateOrder::month_first ? dates_.month_first
                                             : dates_.day_first);
  return date->seconds;
}

bool RecordParser::take_time(Field field, double& time) {
  std::uint32_t integer = 0;
  if (const auto [end, error] = std::from_chars(field.begin, field.end, integer);
      end == field.end && error == std::errc() && !layout_.compact_dates && has_told_unit(layout_, integer))
      [[likely]] {
    time = seconds_of(layout_, integer);
    return true;
  }
  if (layout_.decimal_comma) std::replace(field.begin, field.end, ',', '.');
  const auto text = without_blanks(field);
  if (const auto date = read_time_text(text)) {
    time = *date;
    return true;
  }
  // Among dates of digits alone no other digits are a time: 20140230, or seconds.
  const auto number =
      layout_.compact_dates ? NumberText{0, "is no date of digits as those of the first lines are"} : read_number(text);
  const bool other_unit = !number.fault && !has_told_unit(layout_, number.value);
  if (!number.fault && !other_unit) {
    time = seconds_of(layout_, number.value);
    return true;
  }
  if (!rule_.times_needed) {
    ++tally_.unread_times;
    time = 0;
    return true;
  }
  if (other_unit) {
    return fail("the time " + quoted(text) +
                " is of another unit than those of the first lines; write all in one, or "
                "say it in input.time_unit");
  }
  return fail("the time " + quoted(text) + " " + number.fault +
              (layout_.compact_dates ? "" : ", nor a date such as 2014-04-07 12:30:00"));
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

bool RecordParser::take_split(Field field, SplitPart& part) {
  const auto word = without_blanks(field);
  const auto found = split_part_of(word);
  if (found) {
    part = *found;
    return true;
  }
  return fail("the split " + quoted(word) +
              " is neither train (or 0, false) nor test (or 1, true) nor validation (input.columns.split)");
}

}  // namespace cohort
