// Users placed and served without training: embedding by fold-in, segment, margin, recommendations. Many at a time,
// over all ranks; segment/live_assigner.hpp is for one at a time. For `assign`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assign/newcomers.hpp"
#include "assign/placement.hpp"
#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "kernels/top_k.hpp"
#include "result/segments.hpp"

namespace cohort {

struct AssignOptions {
  bool spherical = false;   ///< as the segments were made
  std::int64_t count = 20;  ///< recommendations a user
  std::int64_t level = 0;   ///< whose segments users are placed in, from 1; 0: the finest
};

/// Throws InputError where the result has no items. path: for the message. Local, the same on all ranks.
void check_has_items(const SegmentsFile& result, const std::string& path);

/// Throws InputError where users cannot be folded into this result: it has no items, or it was made by a Cohort that
/// did not store what fold-in needs. path: for the message. Collective.
void check_fold_in(const Communicator& comm, const SegmentsFile& result, const std::string& path);

/// The items with most training users, equal ones by the smaller number, scored by their users; the same on all ranks.
/// item_users: of this rank's block of `items`. Collective.
std::vector<ScoredItem> popular_items(const Communicator& comm, const Distribution& items,
                                      std::span<const std::int64_t> item_users, std::int64_t count);

/// Of this rank's newcomers.
struct Assignment {
  std::vector<Placement> placement;         ///< segment -1: no known item, so no basis
  std::vector<std::int64_t> best_begin{0};  ///< users + 1
  std::vector<ScoredItem> best;  ///< of each user best first: by <e_u, e_i> among items that are not its own,
                                 ///< or where there is no basis the popular items
};

/// Places and serves users by their embedding (row by row; the same of `has_basis`: whether there is anything to place
/// it by), known items left out of what is recommended. item_users: of this rank's block of items. Collective.
Assignment assign_embedded(const Communicator& comm, const SegmentsFile& result,
                           std::span<const std::int64_t> item_users, const PairTable& known, ConstMatrixView embedding,
                           std::span<const char> has_basis, const AssignOptions& options);

/// Folds in. Collective.
Assignment assign(const Communicator& comm, const SegmentsFile& result, const Newcomers& newcomers,
                  const AssignOptions& options);

}  // namespace cohort
