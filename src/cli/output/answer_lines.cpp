#include "cli/output/answer_lines.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/csv_field.hpp"
#include "result/segments.hpp"

namespace cohort {

namespace {

constexpr auto no_basis = "no basis";

// JSON has no infinity: with one segment there is no margin.
std::string number(float value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ItemNames::Quoted AnswerLines::quotes(Format format) {
  return format == Format::json ? json_string : csv_field;
}

std::string AnswerLines::header() const {
  if (format_ == Format::json) return {};
  std::string text = "user,segment,distance,margin,known,unknown,note";
  for (std::int64_t i = 1; i <= count_; ++i) text += fmt::format(",item_{0},score_{0}", i);
  return text + "\n";
}

std::string AnswerLines::line(const Answer& answer) const {
  return format_ == Format::json ? json_line(answer) : csv_line(answer);
}

std::string AnswerLines::json_line(const Answer& answer) const {
  const auto& placement = answer.placement;
  std::string text = "{\"user\":" + json_string(answer.user);
  auto out = std::back_inserter(text);
  if (placement.segment < 0) {
    text += ",\"segment\":null,\"distance\":null,\"margin\":null";
  } else {
    fmt::format_to(out, ",\"segment\":{},\"distance\":{},\"margin\":{}", number_of(number_, placement.segment),
                   number(placement.distance), number(placement.margin));
  }
  fmt::format_to(out, ",\"known\":{},\"unknown\":{}", answer.known, answer.unknown);
  if (placement.segment < 0) fmt::format_to(out, ",\"note\":\"{}\"", no_basis);
  text += ",\"recommendations\":[";
  const char* separator = "";
  for (const auto& best : answer.best) {
    fmt::format_to(out, "{}{{\"item\":{},\"score\":{}}}", separator, names_.of(best.item), best.score);
    separator = ",";
  }
  return text + "]}\n";
}

std::string AnswerLines::csv_line(const Answer& answer) const {
  const auto& placement = answer.placement;
  auto text = csv_field(answer.user);
  auto out = std::back_inserter(text);
  if (placement.segment < 0) {
    fmt::format_to(out, ",,,,{},{},{}", answer.known, answer.unknown, no_basis);
  } else {
    fmt::format_to(out, ",{},{},{},{},{},", number_of(number_, placement.segment), placement.distance, placement.margin,
                   answer.known, answer.unknown);
  }
  for (const auto& best : answer.best) {
    fmt::format_to(out, ",{},{}", names_.of(best.item), best.score);
  }
  text.append(static_cast<std::size_t>(2 * (count_ - std::ssize(answer.best))), ',');
  return text + "\n";
}

}  // namespace cohort
