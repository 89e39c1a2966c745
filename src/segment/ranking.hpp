// Ranking measures over held-out interactions, all items not seen in training being ranked: as LightGCN evaluates (He
// et al. 2020, section 4.1). For `evaluate`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "segment/top_items.hpp"

namespace cohort {

/// Means over the users with at least one held-out item. A held-out item that the graph does not know counts as missed,
/// and so does one that is passed over because it was seen in training.
struct RankingMeasures {
  std::int64_t k = 20;
  double recall = 0;     ///< hits / held-out items of the user
  double ndcg = 0;       ///< sum of 1 / log2(rank + 1) over hits, divided by that of min(k, held-out items) first ranks
  double precision = 0;  ///< hits / k
  double hit_rate = 0;   ///< share of users with a hit
  std::int64_t users = 0;  ///< with a held-out item, over all ranks; 0: the measures are NaN
};

/// query.k and query.chosen are not looked at. held_out: a row for each of this rank's users, ascending by `other`
/// (-1: unknown item). One entry for each of `ks` (at least 1, the same on all ranks), in their order; the users'
/// measures are added in fixed point, so the bits do not depend on the ranks. Collective.
std::vector<RankingMeasures> ranking_measures(const Communicator& comm, const TopItemsQuery& query,
                                              const PairTable& held_out, std::span<const std::int64_t> ks);

}  // namespace cohort
