// What the stages before and after training keep in memory, of a rank that need not be there; what training keeps is
// train/training_memory's. For predictions; local.
#pragma once

#include <cstdint>

#include "comm/halo_matrix.hpp"
#include "core/config.hpp"

namespace cohort {

/// Of a rank's part.
struct StageSizes {
  HaloRows rows;
  std::int64_t users = 0;  ///< owned rows that are users
  std::int64_t entries = 0;
};

struct StageMemory {
  std::int64_t bytes = 0;       ///< beside the tables of graph.h5
  std::int64_t seen_bytes = 0;  ///< of other ranks of the machine, whose rows are read: resident, but theirs
};

/// Of rank 0, which has most: its block of the whole graph, and what METIS makes of all of it.
StageMemory partition_memory(std::int64_t nodes, std::int64_t entries, std::int64_t shards, int ranks,
                             const PartitionConfig& partition);

/// Beside the sharded graph. encoder: never automatic; interactions: whether there are items that new users could be
/// placed by.
StageMemory segment_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder, bool interactions);

}  // namespace cohort
