// How much a segment's taste counts: the smoothing m of its popularity and the weight w of its prior beside the
// personal score, both chosen on interactions that are held back (the hold-out of `evaluate` is never looked at).
//
// About 5,000 users (all, where there are fewer) hold back a tenth of their training interactions each; where that is
// less than one, one is expected, but no more than a fifth. What was trained has seen those: a user's embedding ranks
// them first, and so do the items' embeddings, at second hand. A weight chosen with either is that of other
// recommendations than the ones that are made. So w is chosen with an embedding that was trained, from the start and
// with the same settings, on what is left, and with its segments: a Validation, which whoever can train brings
// (cli/validation_stage.cpp).
//
// m alone, for the strategy `segment`, needs only segments that do not know the pairs, and is not worth a training: a
// stand-in takes the place of a validation user's embedding, one step of propagation from the items that are left, g =
// sum_j e_j / sqrt(n_j), scaled to the embedding's length; its segment is that of the centroid nearest to it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

constexpr double validation_users = 5000;  ///< that are expected to hold something back, of as many or more

/// Draws users by (seed, Purpose::validation_users, user) and pairs by (seed, Purpose::validation_pairs, user, item);
/// the last one of a user stays. interactions: a row for each of this rank's users. Collective.
HeldBack hold_back(const Communicator& comm, const PairTable& interactions, const Distribution& users,
                   const Distribution& items, std::uint64_t seed);

/// The segments of this rank's users, in the place of those that hold pairs back those of their stand-ins. counts: of
/// held.left. Collective.
std::vector<std::int32_t> stand_in_segments(const Communicator& comm, const Population& population,
                                            const HeldBack& held, const ItemCounts& counts);

/// The m of largest likelihood of the pairs held back, sum of log p(i|s), among infinity and the powers of two from 1
/// to 2^30; the largest of equals; infinity where nothing is held back. counts: without them; segment: of this rank's
/// users. Collective.
double choose_smoothing(const Communicator& comm, const ItemCounts& counts, const PairTable& pairs,
                        std::span<const std::int32_t> segment);

struct BlendWeight {
  double weight = 0;
  double ndcg = 0;                   ///< NDCG@20 over the validation users at `weight`; NaN where there are none
  double best_weight = 0;            ///< of the largest NDCG@20
  double gain = 0;                   ///< of best_weight over 0
  double standard_error = 0;         ///< of the gain, from the users' differences
  std::vector<double> ndcg_of_user;  ///< at `weight`, of this rank's users; 0 of those that hold nothing back
};
/// Among 0 and 0.05, 0.1, 0.2, ... 12.8 the w of largest NDCG@20 of the pairs held back, the smallest of equals; 0
/// where its gain over 0 is not above twice its standard error. counts: without the pairs; choice: with the
/// embedding of the validation. Collective.
BlendWeight choose_weight(const Communicator& comm, const Validation& validation, const ItemCounts& counts,
                          const ItemChoice& choice, double smoothing);

}  // namespace cohort
