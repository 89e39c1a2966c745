// How well embeddings rank what is held back, user by user, and whether one does better than another by more than
// chance. For choosing between settings.
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

/// The mean over all users that hold something back, in fixed point: the same for any number of ranks. ndcg: of each of
/// this rank's users, within [-1, 1]. NaN where there are no such users. Collective.
double mean_of_users(const Communicator& comm, const HeldBack& held, std::span<const double> ndcg);

struct Gain {
  double mean = 0;
  double standard_error = 0;  ///< from the users' differences; infinite for one user
};
/// Of `now` over `before`. At least one user holds something back. Collective.
Gain gain_of_users(const Communicator& comm, const HeldBack& held, std::span<const double> now,
                   std::span<const double> before);

}  // namespace cohort
