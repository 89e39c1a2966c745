// What the stages before and after training keep in memory, of a rank that need not be there: the rooms' costs, added
// up. What training keeps is train/training_memory's. For predictions and checks; local but for what says otherwise.
#pragma once

#include <cstdint>
#include <optional>

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
  std::int64_t all_interactions = 0;
  std::int64_t held_out = 0;         ///< interactions
  bool timed = false;                ///< interactions have times
  bool users_alone = false;          ///< items are no nodes
  std::int64_t id_bytes = 0;         ///< of users' and items' IdTables
  std::int64_t entries = 0;          ///< of the graph
  std::int64_t feature_entries = 0;  ///< of all files of features
  std::int64_t largest_feature = 0;  ///< of the file that has most
  std::int64_t attribute_text = 0;   ///< bytes of the files of attributes
};

/// Of this rank. Collective.
StageSizes stage_sizes(const Communicator& comm, const ShardGraph& graph);
BlockSizes block_sizes(const Communicator& comm, const Dataset& dataset);

/// Of the embedding that the configuration makes of such a graph. Local.
ModelConfig stored_model(const Config& config, const Dataset& dataset);
/// Whether the model has rows that it learned of all nodes. Local.
bool learns_rows(const Config& config, const Dataset& dataset);

/// With the tables that it makes. table_bytes: theirs, features included; graph: how many neighbours are looked for
/// where users are joined.
MemoryNeed prepare_memory(const BlockSizes& sizes, const GraphConfig& graph, std::int64_t table_bytes);

/// Of rank 0, which has most: its block of the whole graph, and what METIS makes of all of it.
MemoryNeed partition_memory(std::int64_t nodes, std::int64_t entries, std::int64_t shards, int ranks,
                            const PartitionConfig& partition);

/// model.encoder = "spectral" in the place of training, beside the sharded graph. held: bytes of the tables that are
/// made once more, without what is held back; 0: nothing is.
MemoryNeed spectral_memory(const StageSizes& sizes, const ModelConfig& model, std::int64_t held);

/// Clustering, beside the sharded graph and the model as it was read. encoder: never automatic; interactions: whether
/// there are items that new users could be placed by.
MemoryParts clustering_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder,
                              bool interactions);

/// All of `segment` beside the sharded graph: the model, and with it making that graph or clustering, whichever takes
/// more. learns_rows: the model has rows beside the embedding that it was made of.
MemoryNeed segment_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder, bool interactions,
                          bool learns_rows);

/// Profiles and the tables of attributes that they are made of, beside the tables and the result.
MemoryParts profile_memory(const BlockSizes& sizes, const Config& config);

/// The result as it is read, beside the tables of graph.h5; the users' lists that it has once they are made.
std::int64_t read_result_bytes(const BlockSizes& sizes, const ModelConfig& model, EncoderKind encoder);
std::int64_t read_lists_bytes(const BlockSizes& sizes, const Config& config);

/// Whether `recommend` trains once more, without what it holds back. strategy: of the configuration. interactions: of
/// all ranks.
bool trains_to_recommend(Strategy strategy, std::int64_t interactions);

/// Whether `recommend` makes the filter's graph. users, interactions: of all ranks.
bool filters_to_recommend(Strategy strategy, std::int64_t users, std::int64_t interactions);

/// Lists, their ranking and the filter's, beside the tables and the result; what choosing a strategy trains is not
/// among it. filter: rows of the filter's graph; none where it is not made.
MemoryParts recommend_memory(const BlockSizes& sizes, const Config& config, const ModelConfig& model,
                             const std::optional<HaloRows>& filter);

/// The most that a measure takes, beside the tables, the result and its lists. filter: as above.
MemoryParts evaluate_memory(const BlockSizes& sizes, const Config& config, const ModelConfig& model,
                            const std::optional<HaloRows>& filter);

/// Of a rank of `ranks` ranks, at least: what its ghosts are is known once the graph is there.
HaloRows filter_rows(const BlockSizes& sizes, int ranks);

}  // namespace cohort
