// Ranking measures over held-out interactions, as LightGCN evaluates (He et al. 2020, section 4.1): of lists of what a
// user has not had in training. For `evaluate`, and for choosing the blend's weight.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "items/top_items.hpp"

namespace cohort {

/// gains[n]: what hits on the first n ranks are worth together, the sum of 1 / log2(rank + 1); n = 0..k. Local.
std::vector<double> ideal_gains(std::int64_t k);

struct ListMeasures {
  std::int64_t hits = 0;
  double recall = 0;  ///< hits / held-out items of the user
  double ndcg = 0;    ///< gain of the hits, divided by that of min(k, held-out items) first ranks
};
/// Of the first k of a list. held: ascending, at least one; gains: at least k + 1. Local.
ListMeasures measure_list(std::span<const ScoredItem> best, std::span<const std::int64_t> held, std::int64_t k,
                          std::span<const double> gains);

/// The ndcg of that, of a list in which `held` held-out items, at least one, have these places: from 0, ascending,
/// below k. Local.
double ndcg_of_places(std::span<const std::int64_t> places, std::size_t held, std::int64_t k,
                      std::span<const double> gains);

/// Means over the users with at least one held-out item. A held-out item that the graph does not know counts as missed.
struct RankingMeasures {
  std::int64_t k = 20;
  double recall = 0;
  double ndcg = 0;
  double precision = 0;    ///< hits / k
  double hit_rate = 0;     ///< share of users with a hit
  std::int64_t users = 0;  ///< with a held-out item, over all ranks; 0: the measures are NaN
};

/// Gives `sink` the list of k items of each of `users` (rows of this rank's users, ascending). Collective.
using MakeLists = std::function<void(std::int64_t k, const std::vector<std::int64_t>& users, const TopItemsSink& sink)>;

/// held_out: a row for each of this rank's users, ascending by `other` (-1: unknown item), without pairs that were
/// trained. One entry for each of `ks` (at least 1, the same on all ranks), in their order; the users' measures are
/// added in fixed point, so the bits do not depend on the ranks. Collective.
std::vector<RankingMeasures> ranking_measures(const Communicator& comm, const PairTable& held_out,
                                              std::span<const std::int64_t> ks, const MakeLists& make_lists);

}  // namespace cohort
