// How fine is fine enough: the strategy `segment` by the segments of each of nested levels, measured on held-out
// interactions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "comm/communicator.hpp"
#include "recommend/recommendation.hpp"
#include "result/segments.hpp"

namespace cohort {

/// One object for each level, the coarsest first: level (from 1), segments, and recall@k, ndcg@k, precision@k,
/// hit_rate@k of each cut-off. population: with the finest segments; smoothing: of each level. The model is one of the
/// last level afterwards. Collective.
nlohmann::ordered_json measures_by_level(const Communicator& comm, const Population& population,
                                         const Segments& segments, std::span<const double> smoothing,
                                         const PairTable& held_out, std::span<const std::int64_t> ks,
                                         RecommendModel& model);

/// The same as a table for a person, a column for each level. Local.
std::string levels_beside(const nlohmann::ordered_json& levels);

}  // namespace cohort
