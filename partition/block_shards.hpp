// An assignment of nodes to shards as this rank's block of the graph sees it: the shard of each row and of each
// neighbour. For what counts edges between shards.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/block_graph.hpp"

namespace cohort {

struct BlockShards {
  std::int32_t shards = 0;
  std::vector<std::int32_t> of_row;
  std::vector<std::int32_t> of_entry;  ///< of the column of each adjacency entry

  /// Shard s becomes number[s].
  void renumber(std::span<const std::int32_t> number);
};

/// Collective.
BlockShards shards_of_entries(const Communicator& comm, const BlockGraph& blocks,
                              std::span<const std::int32_t> shard_of, std::int32_t shards);

/// Nodes + adjacency entries of each shard (S), on all ranks. Collective.
std::vector<std::int64_t> shard_costs(const Communicator& comm, const BlockGraph& blocks,
                                      const BlockShards& assignment);

}  // namespace cohort
