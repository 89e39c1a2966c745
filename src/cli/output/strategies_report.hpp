// How well each strategy recommends, for `evaluate --strategies`: as one JSON object and as tables. Local.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "evaluate/strategy_comparison.hpp"

namespace cohort {

/// written_strategy (of the result's lists; empty: none, null), k, test_users, cold_at_most, smoothing, blend_weight,
/// filter_ridge, filter_power, filter_weight, validation_users, resamples, family_error, claims, critical_value;
/// strategies: by name, each with overall, cold and segments (a list, each with its number), each of which has users,
/// and of recall, ndcg and hit_rate the mean, its 95 % interval, the gain over global and its interval; coverage,
/// novelty, gini; beats_global (null: not tested). What is not defined is NaN or infinite, written as null. verdict:
/// for every strategy but global, in words. called: what segments are called, as in Segments.
nlohmann::ordered_json strategies_json(const StrategyComparison& comparison, const std::string& written,
                                       const std::vector<std::int64_t>& called);

std::string strategies_table(const StrategyComparison& comparison, const std::string& written,
                             const std::vector<std::int64_t>& called);

}  // namespace cohort
