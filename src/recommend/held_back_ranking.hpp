// How well embeddings rank what is held back, user by user. For choosing between settings, with UserMeans.
#pragma once

#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

/// NDCG@20 of each of this rank's users, ranked by <users, items> without held.left; 0 of those that hold nothing back.
/// users, items: this rank's blocks. Collective.
std::vector<double> ndcg_of_users(const Communicator& comm, ConstMatrixView users, ConstMatrixView items,
                                  const Distribution& item_blocks, const HeldBack& held);

}  // namespace cohort
