// How good a partition is, whoever made it: what METIS, a random assignment, plain blocks and other partitioners are
// compared by.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "graph/block_graph.hpp"
#include "partition/block_shards.hpp"

namespace cohort {

/// Of the parts that nodes are divided into: shards, or the ranks that own them.
struct CutQuality {
  std::int64_t parts = 0;
  std::int64_t empty_parts = 0;
  std::int64_t cut_edges = 0;  ///< undirected edges between two parts
  double cut_share = 0;        ///< of all edges
  /// Over all nodes, the number of other parts that hold a neighbour: the rows that one halo exchange moves if every
  /// part is a rank. Equals the number of ghosts of all parts.
  std::int64_t communication_volume = 0;
  double ghosts_per_node = 0;    ///< communication volume / nodes
  double worst_ghost_ratio = 0;  ///< largest ghosts / own nodes of a part that is not empty
  double node_balance = 1;       ///< largest / mean number of nodes of a part
  double entry_balance = 1;      ///< largest / mean number of adjacency entries of a part
};

struct PartitionQuality {
  std::int64_t nodes = 0;
  std::int64_t edges = 0;  ///< undirected
  CutQuality by_shard;
  CutQuality by_rank;
};

/// shard_of: the shard of every node of this rank's block. Collective.
PartitionQuality measure_partition(const Communicator& comm, const BlockGraph& blocks,
                                   std::span<const std::int32_t> shard_of, const Distribution& shards_of_rank);
PartitionQuality measure_partition(const Communicator& comm, const BlockGraph& blocks, const BlockShards& assignment,
                                   const Distribution& shards_of_rank);

}  // namespace cohort
