// What each user is trained to rank high, beside the user's row: for the samplers and for evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/ids.hpp"
#include "core/ragged.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

struct Positives {
  std::vector<std::int64_t> row_begin{0};  ///< owned rows + 1; items have none
  std::vector<NodeId> node;                ///< within a row ascending
  /// By owned row: how many positives the users with smaller NodeIds have that can be sampled. first_number + k is the
  /// number of a user's k-th positive, the same however the graph is distributed.
  std::vector<std::int64_t> first_number;
  /// By owned row: how many users with smaller NodeIds can be sampled (some positives, but not every candidate).
  std::vector<std::int64_t> user_number;
  std::int64_t total = 0;          ///< positives of the users of all ranks that can be sampled
  std::int64_t sampled_users = 0;  ///< users of all ranks that can be sampled
  NodeId first_candidate{0};       ///< negatives are among first_candidate .. + candidates
  std::int64_t candidates = 0;     ///< items; users where there are no items

  std::span<const NodeId> of(std::int64_t row) const {
    const auto r = static_cast<std::size_t>(row);
    return std::span<const NodeId>(node).subspan(row_begin[r], places_of(row_begin, r).size());
  }
  /// Candidates that can be a negative of the owned user row `row`, whose NodeId is `user`: not its positives, not
  /// itself.
  std::int64_t negatives(std::int64_t row, NodeId user) const {
    return candidates - static_cast<std::int64_t>(of(row).size()) - (is_candidate(user) ? 1 : 0);
  }
  /// The rank-th of them by NodeId, 0 <= rank < negatives(row, user). O(log of the user's positives).
  NodeId negative(std::int64_t row, NodeId user, std::int64_t rank) const;
  /// Whether triples are made of the user.
  bool can_be_sampled(std::int64_t row, NodeId user) const { return !of(row).empty() && negatives(row, user) > 0; }

 private:
  bool is_candidate(NodeId node_id) const {
    return node_id >= first_candidate && node_id.value < first_candidate.value + candidates;
  }
};

/// A user's items (dataset.interactions), or in a dataset without items its social neighbours. Collective.
Positives positives_of(const Communicator& comm, const Dataset& dataset, const ShardedGraph& sharded);

}  // namespace cohort
