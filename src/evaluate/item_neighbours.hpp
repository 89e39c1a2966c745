// What a recommender without anything learnt would do: the items most like those that a user has. A yardstick for
// `evaluate --strategies`.
//
//   s_uj = sum over the items i of u, ascending, of cos(i, j) where j is among the `neighbours` items most like i
//   cos(i, j) = |U_i and U_j| / sqrt(|U_i| |U_j|)                     U_i: the training users of item i
//
// (Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms", section 4.1; Sarwar et al. 2001.)
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "data/dataset.hpp"
#include "items/top_items.hpp"

namespace cohort {

/// Of this rank's block of items: the other items most like each, best first, ties to the smaller item; only those that
/// share a user.
struct ItemNeighbours {
  Distribution blocks;
  std::vector<std::int64_t> begin{0};  ///< items of the block + 1
  std::vector<std::int32_t> item;
  std::vector<std::int32_t> shared;  ///< beside it: users that have both
  std::vector<std::int64_t> users;   ///< of each item of the block
};

/// interactions: a row for each of this rank's users. Compared in whole numbers, so exact. Memory: four bytes for every
/// interaction of all ranks. Collective.
ItemNeighbours item_neighbours(const Communicator& comm, const PairTable& interactions, const Distribution& items,
                               std::int64_t neighbours);

/// Gives `sink` the `count` best items of each of `users` (rows of `interactions`), without those it has; fewer where
/// fewer are like any. The same bits for any number of ranks and threads. Collective.
void recommend_like(const Communicator& comm, const ItemNeighbours& neighbours, const PairTable& interactions,
                    std::int64_t count, const std::vector<std::int64_t>& users, const TopItemsSink& sink);

}  // namespace cohort
