// How well each strategy recommends, on held-out interactions, and which of them can be said to beat popularity: for
// `evaluate --strategies`.
//
// Claims. A strategy is said to beat `global` in a set of users (all, the cold ones, a segment) where its gain in NDCG
// over global, divided by its bootstrap standard error, is above one critical value for all claims: the 99th percentile
// over resamples of the largest centred gain, in such units, of any strategy in any set (single-step max-T; Westfall
// and Young 1993; Romano and Wolf 2005). So the chance that any claim at all is made where there is no gain is 1 %,
// however many segments there are. The intervals are pointwise and at 95 %.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "evaluate/bootstrap.hpp"
#include "evaluate/exposure.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

/// Measures of one list, as LightGCN evaluates (He et al. 2020, section 4.1): segment/ranking.hpp says what they are.
constexpr std::array<const char*, 3> list_measures{"recall", "ndcg", "hit_rate"};
constexpr std::size_t claimed_measure = 1;  ///< of list_measures: NDCG

struct MeasuredMean {
  double value = 0;   ///< NaN: no users
  Interval interval;  ///< 95 %; NaN: fewer than least_users users
};

/// A strategy among some users with held-out items.
struct StrategyMeasures {
  std::int64_t users = 0;
  std::array<MeasuredMean, list_measures.size()> mean;
  std::array<MeasuredMean, list_measures.size()> gain;  ///< mean of the differences to global, user by user
  Exposure exposure;
  bool tested = false;        ///< a claim was looked for
  bool beats_global = false;  ///< and made
};

struct StrategyResult {
  Strategy strategy{};
  StrategyMeasures overall;
  StrategyMeasures cold;
  std::vector<StrategyMeasures> segments;
};

struct StrategyComparison {
  std::int64_t k = 0;
  std::int64_t users = 0;         ///< with held-out items
  std::int64_t cold_at_most = 0;  ///< training interactions of a cold user: the lower quartile of these users
  std::int64_t resamples = 0;
  std::int64_t claims = 0;    ///< that were tested together
  double critical_value = 0;  ///< standard errors that a gain needs; NaN where nothing was tested
  double smoothing = 0;       ///< m, w and what they were chosen on, as in RecommendModel
  double blend_weight = 0;
  double filter_ridge = 0;  ///< NaN where filter and hybrid are not among the strategies, as the other two
  double filter_power = 0;
  double filter_weight = 0;
  std::int64_t validation_users = 0;
  std::vector<StrategyResult>
      strategies;  ///< in the order of all_strategies: those that the model and the population have; last itemcf
};

constexpr double family_error = 0.01;     ///< chance of a false claim, in all
constexpr std::int64_t least_users = 20;  ///< that a set needs for intervals and claims

struct ComparisonOptions {
  std::int64_t k = 20;
  std::int64_t resamples = 1000;
  std::uint64_t seed = 0;
};

/// model: with m and w, every item being chosen. held_out: a row for each of the population's users on this rank,
/// ascending (-1: an item that the graph does not know, which counts as missed), without trained pairs. The same bits
/// on any number of ranks and threads. Collective.
StrategyComparison compare_strategies(const Communicator& comm, const Population& population,
                                      const RecommendModel& model, const PairTable& held_out,
                                      const ComparisonOptions& options);

}  // namespace cohort
