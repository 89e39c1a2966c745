// Users joined by what they share: for each the most similar ones, for a graph whose nodes are users alone.
//
// Two users are as similar as the cosine of their rows of the user-item matrix, or as the number of items that both
// have (graph.similarity). A user's row of similarities is a row of the product of that matrix with its transpose,
// which nobody ever holds: a rank makes the rows of its own users, one at a time, from the lists of the items that they
// have, and keeps the graph.neighbours strongest. The users that it compares with are taken in passes, so that the
// parts of the lists that a pass needs fit the memory that is given.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/behaviour.hpp"

namespace cohort {

/// What a rank's part of the item lists may take in one pass, in bytes, beside what stays: the lists that it keeps for
/// others and the neighbours found so far.
inline constexpr std::int64_t similarity_memory = std::int64_t{1} << 30;

struct SimilarUsers {
  PairTable edges;         ///< by users.distribution, both directions of every edge; no times
  PassedOver passed_over;  ///< as if it were not there
  std::int64_t passes = 0;
};

/// An edge joins two users where one is among the options.neighbours most similar ones of the other (fewer where fewer
/// share anything; of equal ones the smaller number), and weighs what graph.weight makes of the similarity:
///
/// - cosine: of the rows with an interaction's weight as in the bipartite graph (1, ln(1 + w), w);
/// - count: 1 ("binary"), ln(1 + count) ("log"), count ("raw").
///
/// Counts are exact, sums are float64 over items ascending, and cosines are compared by their squares, so that equal
/// ones of whole counts are equal: the result depends on the dataset and the options alone. memory: as
/// similarity_memory. Throws InputError beyond 2^32 users. Collective.
SimilarUsers similar_users(const Communicator& comm, const Dataset& dataset, const GraphConfig& options,
                           std::int64_t memory = similarity_memory);

/// What similar_users() keeps at its peak on a rank of so many users and interactions whose users name `neighbours`
/// others each. For predictions; local.
std::int64_t similar_users_bytes(std::int64_t users, std::int64_t interactions, std::int64_t neighbours);

class StoredUsers;

/// Users who are not in the dataset, or are in it with other interactions, joined to those of the dataset by the same
/// rule, as often as some come.
class UserIndex {
 public:
  /// dataset: that of the graph; its distributions are copied. memory: as above. Collective.
  UserIndex(const Communicator& comm, const Dataset& dataset, const GraphConfig& options,
            std::int64_t memory = similarity_memory);
  ~UserIndex();
  UserIndex(const UserIndex&) = delete;
  UserIndex& operator=(const UserIndex&) = delete;

  /// The options.neighbours users of the dataset that are most similar to each. asked: a row of items for each, weights
  /// as the bipartite graph has them (0: none). self: the numbers of those that are in the dataset, who are not
  /// compared with themselves; -1: not in it. Returns rows of users, ascending, and the weights of the edges to them.
  /// Collective.
  PairTable most_similar(const PairTable& asked, std::span<const std::int64_t> self);

 private:
  const Communicator& comm_;
  GraphConfig options_;
  Distribution items_;
  PassedOver passed_over_;
  std::unique_ptr<StoredUsers> stored_;
};

}  // namespace cohort
