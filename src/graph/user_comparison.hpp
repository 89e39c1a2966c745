// Users compared with those of a dataset: for each the most similar ones. Internal to the graph of users.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "data/distinct.hpp"
#include "graph/behaviour.hpp"
#include "graph/item_lists.hpp"
#include "graph/pass_comparison.hpp"

namespace cohort {

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
    ItemLists::Part lists;            ///< of this rank's items
    std::vector<std::uint32_t> user;  ///< of all ranks, by norm; of the lists, a place in it
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
