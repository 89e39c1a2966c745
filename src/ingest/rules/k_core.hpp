// The (m, n)-core of the user-item graph: the largest set of interactions in which every user has at least m and every
// item at least n of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

struct KCoreResult {
  std::vector<char> keep;               ///< of this rank's interactions
  std::vector<char> dropped_user;       ///< of this rank's users: fell below the minimum (and had at least one left)
  std::vector<std::int64_t> item_left;  ///< of this rank's items: interactions left
  std::int64_t users = 0;               ///< dropped, over all ranks
  std::int64_t items = 0;
  std::int64_t interactions = 0;
  std::int64_t rounds = 0;
};

/// Drops users, then items, below their minimum until nothing changes. `items`: distribution of the item numbers in
/// table.other. With minima of 1 it only counts. Collective.
KCoreResult k_core(const Communicator& comm, const PairTable& table, const Distribution& items,
                   std::int64_t min_user_interactions, std::int64_t min_item_interactions);

}  // namespace cohort
