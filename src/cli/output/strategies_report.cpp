#include "cli/output/strategies_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/output/report.hpp"
#include "cli/output/segments_report.hpp"
#include "result/segments.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const StrategyMeasures& measures) {
  Json json;
  json["users"] = measures.users;
  for (std::size_t m = 0; m < list_measures.size(); ++m) {
    const auto& mean = measures.mean[m];
    const auto& gain = measures.gain[m];
    json[list_measures[m]] = {{"mean", mean.value},
                              {"interval", {mean.interval.low, mean.interval.high}},
                              {"gain", gain.value},
                              {"gain_interval", {gain.interval.low, gain.interval.high}}};
  }
  json["coverage"] = measures.exposure.coverage;
  json["novelty"] = measures.exposure.novelty;
  json["gini"] = measures.exposure.gini;
  json["beats_global"] = measures.tested ? Json(measures.beats_global) : Json();
  return json;
}

// What can be said of a strategy against global, and where nothing can.
std::string verdict_of(const StrategyResult& result, std::int64_t k, const std::vector<std::int64_t>& called) {
  std::vector<std::int64_t> beaten;
  std::vector<std::int64_t> not_beaten;
  std::int64_t untested = 0;
  for (std::size_t s = 0; s < result.segments.size(); ++s) {
    const auto& segment = result.segments[s];
    if (segment.beats_global) {
      beaten.push_back(number_of(called, static_cast<std::int64_t>(s)));
    } else {
      not_beaten.push_back(number_of(called, static_cast<std::int64_t>(s)));
      untested += segment.tested ? 0 : 1;
    }
  }
  const auto gain = result.overall.gain[claimed_measure];
  auto text = result.overall.beats_global
                  ? fmt::format("{} beats global overall: NDCG@{} {:+.4f} ({:+.4f} to {:+.4f})",
                                name_of(result.strategy), k, gain.value, gain.interval.low, gain.interval.high)
                  : fmt::format("{} does not beat global overall", name_of(result.strategy));
  text += result.cold.beats_global ? "; it does for cold users" : "; it does not for cold users";
  if (untested == std::ssize(result.segments)) {
    return text +
           fmt::format(
               "; no segment was tested by itself, as each has fewer than {} test users, or lists that measure alike",
               least_users);
  }
  text += fmt::format("; it does in {} of {}", beaten.size(), counted(std::ssize(result.segments), "segment"));
  if (!not_beaten.empty() && !beaten.empty()) text += fmt::format(", not in {}", list_of_numbers(not_beaten));
  if (untested > 0) {
    text += fmt::format(" ({} with fewer than {} test users, or lists that measure alike, {} not tested)", untested,
                        least_users, noun(untested, "was", "were"));
  }
  return text;
}

std::string number(double value, int digits) {
  return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}", value, digits);
}

std::string with_interval(const MeasuredMean& mean) {
  if (std::isnan(mean.interval.low)) return number(mean.value, 4);
  return fmt::format("{:.4f} ({:.4f}, {:.4f})", mean.value, mean.interval.low, mean.interval.high);
}

std::string gain_with_interval(const MeasuredMean& gain, bool is_global) {
  if (is_global || std::isnan(gain.value)) return "-";
  if (std::isnan(gain.interval.low)) return fmt::format("{:+.4f}", gain.value);
  return fmt::format("{:+.4f} ({:+.4f}, {:+.4f})", gain.value, gain.interval.low, gain.interval.high);
}

template <class MeasuresOf>
std::string table(const StrategyComparison& comparison, const std::string& title, MeasuresOf measures_of) {
  auto text = fmt::format("\n{}, {}\n", title, counted(measures_of(comparison.strategies[0]).users, "test user"));
  text += fmt::format("  {:<9} {:>24} {:>24} {:>27} {:>24} {:>8} {:>7} {:>6}\n", "strategy",
                      fmt::format("recall@{}", comparison.k), fmt::format("NDCG@{}", comparison.k), "NDCG over global",
                      "hit rate", "coverage", "novelty", "Gini");
  for (const auto& result : comparison.strategies) {
    const StrategyMeasures& measures = measures_of(result);
    const bool is_global = result.strategy == Strategy::global;
    text +=
        fmt::format("  {:<9} {:>24} {:>24} {:>26}{} {:>24} {:>8} {:>7} {:>6}\n", name_of(result.strategy),
                    with_interval(measures.mean[0]), with_interval(measures.mean[1]),
                    gain_with_interval(measures.gain[claimed_measure], is_global), measures.beats_global ? '*' : ' ',
                    with_interval(measures.mean[2]), number(measures.exposure.coverage, 4),
                    number(measures.exposure.novelty, 2), number(measures.exposure.gini, 3));
  }
  return text;
}

// NDCG of every strategy in every segment.
std::string segments_table(const StrategyComparison& comparison, const std::vector<std::int64_t>& called) {
  auto text = fmt::format("\nsegments, NDCG@{}\n  {:>7} {:>10}", comparison.k, "segment", "test users");
  for (const auto& result : comparison.strategies) text += fmt::format(" {:>9}", name_of(result.strategy));
  text += "\n";
  for (std::size_t s = 0; s < comparison.strategies[0].segments.size(); ++s) {
    text += fmt::format("  {:>7} {:>10}", number_of(called, static_cast<std::int64_t>(s)),
                        with_commas(comparison.strategies[0].segments[s].users));
    for (const auto& result : comparison.strategies) {
      const auto& measures = result.segments[s];
      text +=
          fmt::format(" {:>8}{}", number(measures.mean[claimed_measure].value, 4), measures.beats_global ? '*' : ' ');
    }
    text += "\n";
  }
  return text;
}

}  // namespace

Json strategies_json(const StrategyComparison& comparison, const std::string& written,
                     const std::vector<std::int64_t>& called) {
  Json json;
  json["written_strategy"] = written.empty() ? Json() : Json(written);
  json["k"] = comparison.k;
  json["test_users"] = comparison.users;
  json["cold_at_most"] = comparison.cold_at_most;
  json["smoothing"] = comparison.smoothing;
  json["blend_weight"] = comparison.blend_weight;
  json["filter_ridge"] = comparison.filter_ridge;
  json["filter_power"] = comparison.filter_power;
  json["filter_weight"] = comparison.filter_weight;
  json["validation_users"] = comparison.validation_users;
  json["resamples"] = comparison.resamples;
  json["family_error"] = family_error;
  json["claims"] = comparison.claims;
  json["critical_value"] = comparison.critical_value;
  for (const auto& result : comparison.strategies) {
    auto& strategy = json["strategies"][name_of(result.strategy)];
    strategy["overall"] = json_of(result.overall);
    strategy["cold"] = json_of(result.cold);
    strategy["segments"] = Json::array();
    for (std::size_t s = 0; s < result.segments.size(); ++s) {
      Json segment{{"segment", number_of(called, static_cast<std::int64_t>(s))}};
      segment.update(json_of(result.segments[s]));
      strategy["segments"].push_back(std::move(segment));
    }
    if (result.strategy != Strategy::global)
      json["verdict"][name_of(result.strategy)] = verdict_of(result, comparison.k, called);
  }
  return json;
}

std::string strategies_table(const StrategyComparison& comparison, const std::string& written,
                             const std::vector<std::int64_t>& called) {
  auto text = table(
      comparison, "overall", [](const auto& result) -> const auto& { return result.overall; });
  text += table(
      comparison, fmt::format("cold users (at most {})", counted(comparison.cold_at_most, "training interaction")),
      [](const auto& result) -> const auto& { return result.cold; });
  text += segments_table(comparison, called);
  text += fmt::format(
      "\nIntervals: 95 %, from {} of the users. *: beats global in NDCG, {} being tested together"
      "\nso that the chance of any false one is {:g} %{}.\n\n",
      counted(comparison.resamples, "paired resample"), counted(comparison.claims, "claim"), 100 * family_error,
      std::isnan(comparison.critical_value)
          ? std::string()
          : fmt::format(" (a gain of {:.2f} standard errors)", comparison.critical_value));
  for (const auto& result : comparison.strategies) {
    if (result.strategy != Strategy::global) text += verdict_of(result, comparison.k, called) + ".\n";
  }
  text += fmt::format(
      "\nThe taste of a segment: smoothing {:g}, weight in the blend {:g}, learnt on the training interactions "
      "of {}.\n",
      comparison.smoothing, comparison.blend_weight, counted(comparison.validation_users, "user"));
  if (!std::isnan(comparison.filter_power)) {
    text += fmt::format("The filter: ridge {:g}, power of the degree {:g}, weight of the embedding in hybrid {}.\n",
                        comparison.filter_ridge, comparison.filter_power, number(comparison.filter_weight, 2));
  }
  if (!written.empty()) text += fmt::format("The lists written are those of {}.\n", written);
  return text;
}

}  // namespace cohort
