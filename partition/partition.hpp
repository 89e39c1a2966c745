// Cuts a graph into shards: the stage `partition`. The result depends on the graph, the configuration and the seed,
// never on the number of ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "graph/block_graph.hpp"
#include "partition/cut_points.hpp"
#include "partition/quality.hpp"

namespace cohort {

struct PartitionStats {
  PartitionTool tool =
      PartitionTool::block;  ///< what cut the graph: as configured, or block where it is too small for METIS
  std::optional<CutObjective> objective;  ///< of METIS; none for other tools
  std::vector<std::int64_t> shard_cost;   ///< (S) nodes + adjacency entries, what cut_points() balances; on all ranks
  PartitionQuality quality;               ///< by_rank: with cut_points() for the ranks of this run
  double cut_seconds = 0;                 ///< the assignment of nodes to shards: METIS, gathering included
  double numbering_seconds = 0;
  double quality_seconds = 0;
};

struct PartitionResult {
  std::vector<std::int32_t> shard_of;  ///< of every node of this rank's block
  std::int32_t shards = 0;
  PartitionStats stats;
};

/// "auto": max(64, the next power of two >= nodes / 4096).
std::int64_t automatic_shards(std::int64_t nodes);

/// Assigns nodes to shards by options.tool and numbers the shards by recursive bisection of the quotient graph, so that
/// a contiguous run of shards is a compact region. With fewer than ten nodes a shard, blocks of NodeIds stand in for
/// METIS. Throws InputError (more ranks than shards, a graph beyond METIS's integers, a bad .part file) and RunError
/// (not the memory that METIS needs, METIS failed). Collective.
PartitionResult partition(const Communicator& comm, const BlockGraph& blocks, const PartitionConfig& options,
                          std::uint64_t seed);

}  // namespace cohort
