// The best items of every user by inner product, exact, over all items: what ranking measures are computed from and
// what `recommend` writes. Blocked products and a bounded heap a user, never a users x items matrix.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "ingest/dataset.hpp"
#include "kernels/top_k.hpp"

namespace cohort {

struct TopItemsQuery {
  ConstMatrixView users;       ///< this rank's block of users x d
  ConstMatrixView items;       ///< this rank's block of items x d
  const Distribution* blocks;  ///< of the items, by rank
  const PairTable* excluded;   ///< a row for each of this rank's users: items that are passed over; nullptr: none
  std::int64_t k = 20;
};

/// Takes the best of one of this rank's users: best first, ties to the smaller item. Called by several threads at a
/// time, once for each user in all; must not communicate.
using TopItemsSink = std::function<void(std::int64_t user, std::span<const ScoredItem> best)>;

/// Blocks of items go round all ranks, so a rank needs memory for its own rows and one block. The result does not
/// depend on the number of ranks or threads. Collective.
void top_items(const Communicator& comm, const TopItemsQuery& query, const TopItemsSink& sink);

}  // namespace cohort
