// What the stages before and after training keep in memory, of a rank that need not be there: the rooms' costs, added
// up. What training keeps is train/training_memory's. For predictions and checks; local but for what says otherwise.
#pragma once

#include <cstdint>

#include "comm/machine_memory.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// Of a rank's part of the sharded graph; beside graph_bytes of it, tables and the process itself, which are in none of
/// what is below.
struct StageSizes {
  HaloRows rows;
  std::int64_t users = 0;  ///< owned rows that are users
  std::int64_t entries = 0;
};

/// Of a rank's blocks of users and items.
struct BlockSizes {
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::int64_t all_users = 0;
  std::int64_t all_items = 0;
  std::int64_t interactions = 0;
  std::int64_t held_out = 0;  ///< interactions
  bool timed = false;         ///< interactions have times
  bool users_alone = false;   ///< items are no nodes
  std::int64_t id_bytes = 0;  ///< of users' and items' IdTables
  std::int64_t entries = 0;   ///< of the graph
};

/// Of this rank. Collective.
StageSizes stage_sizes(const Communicator& comm, const ShardGraph& graph);
BlockSizes block_sizes(const Communicator& comm, const Dataset& dataset);

/// With the tables that it makes. table_bytes: theirs; graph: how many neighbours are looked for where users are
/// joined.
MemoryNeed prepare_memory(const BlockSizes& sizes, const GraphConfig& graph, std::int64_t table_bytes);

/// Of rank 0, which has most: its block of the whole graph, and what METIS makes of all of it.
MemoryNeed partition_memory(std::int64_t nodes, std::int64_t entries, std::int64_t shards, int ranks,
                            const PartitionConfig& partition);

/// model.encoder = "spectral" in the place of training, beside the sharded graph. held: bytes of the tables that are
/// made once more, without what is held back; 0: nothing is.
MemoryNeed spectral_memory(const StageSizes& sizes, const ModelConfig& model, std::int64_t held);

/// Beside the sharded graph. encoder: never automatic; interactions: whether there are items that new users could be
/// placed by.
MemoryNeed segment_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder, bool interactions);

/// The result as it is read, beside the tables of graph.h5; the users' lists that it has once they are made.
std::int64_t read_result_bytes(const BlockSizes& sizes, const ModelConfig& model, EncoderKind encoder);
std::int64_t read_lists_bytes(const BlockSizes& sizes, const Config& config);

/// Whether `recommend` trains once more, without what it holds back. strategy: of the configuration. interactions: of
/// all ranks.
bool trains_to_recommend(Strategy strategy, std::int64_t interactions);

/// Lists and their ranking, beside the tables and the result; what choosing a strategy trains is not among it.
std::int64_t recommend_bytes(const BlockSizes& sizes, const Config& config, const ModelConfig& model);

/// The most that a measure takes, beside the tables, the result and its lists.
std::int64_t evaluate_bytes(const BlockSizes& sizes, const Config& config, const ModelConfig& model);

/// Throws RunError on all ranks where a machine has not left what `stage` needs of it. Collective.
void need_stage_memory(const Communicator& comm, const char* stage, std::int64_t bytes);

}  // namespace cohort
