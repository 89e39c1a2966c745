// Users compared with those of a dataset: for each the most similar ones. Internal to the graph of users.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "comm/index_plan.hpp"
#include "core/config.hpp"
#include "data/distinct.hpp"
#include "graph/behaviour.hpp"
#include "graph/item_lists.hpp"

namespace cohort {

struct SimilarUser {
  double score;  ///< what orders a user's candidates: the square of the cosine times the user's own norm, or the count
  float weight;  ///< of the edge
  std::uint32_t user;
};

/// What users of one pass are compared by, and how.
struct ComparisonPass {
  std::int64_t first = 0;          ///< user
  std::span<const double> norm;    ///< of its users: the sum of the squares of their rows
  IndexPlan::Rows list;            ///< by place of the wanted items; users less `first`
  std::vector<std::int32_t> bits;  ///< of the lists' weights; empty: all are 1
};

/// The users that others, or they themselves, are compared with, any number of times.
class StoredUsers {
 public:
  /// behaviour: of this rank's block of `users`. memory: as similarity_memory (graph/user_similarity.hpp). Collective.
  StoredUsers(const Communicator& comm, const Distribution& users, const Distribution& items, Behaviour behaviour,
              const GraphConfig& options, std::int64_t memory);

  const Behaviour& behaviour() const { return behaviour_; }
  std::int64_t passes() const { return passes_.ranks(); }

  /// Of each of this rank's `asked` (which may be behaviour()), the best first. self: their own numbers, whom they are
  /// not compared with; -1: none. Collective.
  std::vector<std::vector<SimilarUser>> most_similar(const Behaviour& asked, std::span<const std::int64_t> self);

 private:
  struct Part {
    ItemLists::Part lists;  ///< of this rank's items
    std::vector<double> norm;
  };
  Part part_of(int pass);

  const Communicator& comm_;
  Distribution users_;
  GraphConfig options_;
  Behaviour behaviour_;
  bool weighted_;  ///< on any rank
  Distinct items_;
  std::vector<double> norm_;  ///< of this rank's users
  Distribution passes_;
  ItemLists lists_;
  std::optional<Part> only_;  ///< where there is one pass
};

}  // namespace cohort
