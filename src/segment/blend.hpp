// How much a segment's taste counts: the smoothing m of its popularity and the weight w of its prior beside the
// personal score, both chosen on interactions that are held back from the counts (the hold-out of `evaluate` is never
// looked at).
//
// About 5,000 users (all, where there are fewer) hold back a fifth of their training interactions each. What was
// trained has seen those: a user's embedding ranks them first, and the user's segment was made with them. So a stand-in
// takes the embedding's place, one step of propagation from the items that are left, g = sum_j e_j / sqrt(n_j), scaled
// to the embedding's length; its segment is that of the centroid nearest to it. Only the items' embeddings still know
// of the pairs, at second hand.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "segment/recommendation.hpp"

namespace cohort {

/// Validation users among this rank's, and what is known of them without the pairs held back.
struct Validation {
  std::vector<std::int64_t> users;    ///< rows of the population's users
  PairTable left;                     ///< a row for each of `users`: interactions that are left, at least one
  PairTable held_back;                ///< and the others; at least one in all of a user's that is listed
  Matrix stand_in;                    ///< in the place of their embeddings
  std::vector<std::int32_t> segment;  ///< of their stand-ins
  ItemCounts counts;                  ///< of all users, without the pairs held back
};

/// Draws users by (seed, Purpose::validation_users, user) and pairs by (seed, Purpose::validation_pairs, user, item).
/// counts: of all interactions. Collective.
Validation hold_back(const Communicator& comm, const Population& population, const ItemCounts& counts,
                     std::uint64_t seed);

/// The m of largest likelihood of the pairs held back, sum of log p(i|s), among infinity and the powers of two from 1
/// to 2^30; the largest of equals; infinity where nothing is held back. Collective.
double choose_smoothing(const Communicator& comm, const Validation& validation);

struct BlendWeight {
  double weight = 0;
  double ndcg = 0;  ///< NDCG@20 over the validation users; NaN where there are none
};
/// The w of largest NDCG@20 of the pairs held back among 0 and 0.05, 0.1, 0.2, ... 12.8; the smallest of equals.
/// `model` has counts, choice and smoothing. Collective.
BlendWeight choose_weight(const Communicator& comm, const Population& population, const RecommendModel& model,
                          const Validation& validation);

}  // namespace cohort
