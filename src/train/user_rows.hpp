// The users among a rank's owned rows, in the order of positions, as k-means wants them.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// Shard by shard, within a shard by NodeId (users come first).
struct UserRows {
  Matrix rows;
  std::vector<NodeId> id;
  std::vector<std::int64_t> owned_row;    ///< of every row, among the owned rows of all nodes
  std::vector<std::int64_t> shard_begin;  ///< this rank's shards + 1
};

/// owned: a row for each owned node. May throw bad_alloc. Local.
UserRows users_by_shard(const Communicator& comm, const ShardGraph& graph, ConstMatrixView owned);

}  // namespace cohort
