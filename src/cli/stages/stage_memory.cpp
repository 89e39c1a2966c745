#include "cli/stages/stage_memory.hpp"

#include <algorithm>

#include "cli/stages/choice_stage.hpp"
#include "cluster/quality.hpp"
#include "data/dataset_bytes.hpp"
#include "graph/rank_shares.hpp"
#include "graph/user_similarity.hpp"
#include "ingest/prepare_memory.hpp"
#include "model/encoder_memory.hpp"
#include "partition/metis_cut.hpp"
#include "profile/profile_memory.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/ranking_memory.hpp"
#include "store/result_bytes.hpp"
#include "train/choices.hpp"
#include "train/communities.hpp"

namespace cohort {

namespace {

// users: that are ranked for.
RankingSizes ranking_sizes(const BlockSizes& sizes, std::int64_t segments, const ModelConfig& model,
                           std::int64_t users) {
  RankingSizes ranking;
  ranking.counted = {sizes.users, sizes.items, sizes.interactions,
                     std::min(sizes.interactions, segments * sizes.all_items)};
  ranking.chosen = users;
  ranking.all_items = sizes.all_items;
  ranking.columns = model.dim;
  return ranking;
}

std::int64_t segments_at_most(const SegmentConfig& segment) {
  return segment.count == automatic_count ? segment.count_max : segment.count;
}

const char* const fewer_columns = "a smaller model.dim";
const char* const fewer_interactions =
    "fewer interactions (clean.min_user_interactions and clean.min_item_interactions drop those that say least)";
const char* const personal_alone = "recommend.strategy = \"personal\"";

const char* fewer_entries(bool users_alone) {
  return users_alone ? "a smaller graph.neighbours" : fewer_interactions;
}

void add_filter(const BlockSizes& sizes, const ModelConfig& model, const std::optional<HaloRows>& rows,
                MemoryParts& parts) {
  if (rows) parts.add(filter_memory({*rows, sizes.items, 2 * sizes.interactions, model.dim}), personal_alone);
}

}  // namespace

StageSizes stage_sizes(const Communicator& comm, const ShardGraph& graph) {
  StageSizes sizes{halo_rows(comm, graph)};
  for (std::int32_t row = 0; row < sizes.rows.owned; ++row) sizes.users += graph.is_user(LocalRow{row}) ? 1 : 0;
  sizes.entries = std::ssize(graph.adjacency.column);
  return sizes;
}

BlockSizes block_sizes(const Communicator& comm, const Dataset& dataset) {
  BlockSizes sizes;
  sizes.users = dataset.users.block_size();
  sizes.items = dataset.items.block_size();
  sizes.all_users = dataset.users.total();
  sizes.all_items = dataset.items.total();
  sizes.interactions = dataset.interactions.size();
  sizes.all_interactions = comm.sum(sizes.interactions);
  sizes.held_out = dataset.holdout.size();
  sizes.timed = comm.any(!dataset.interactions.time.empty());
  sizes.users_alone = dataset.users_alone;
  sizes.id_bytes = bytes_of(dataset.users) + bytes_of(dataset.items);
  for (const auto* tables : {&dataset.user_features, &dataset.item_features}) {
    for (const auto& table : *tables) {
      sizes.feature_entries += table.rows.size();
      sizes.largest_feature = std::max(sizes.largest_feature, table.rows.size());
    }
  }
  // Of items they go by cost, in about even parts.
  sizes.entries = dataset.social.size() + dataset.neighbours.size() +
                  (dataset.users_alone ? 0 : 2 * sizes.all_interactions / comm.size());
  return sizes;
}

ModelConfig stored_model(const Config& config, const Dataset& dataset) {
  auto model = with_width(config.model, dataset.nodes());
  if (encoder_of(config) == EncoderKind::spectral && !dataset.has_item_nodes()) {
    model.dim = community_columns(config.segment, dataset.users.total());
  }
  return model;
}

bool learns_rows(const Config& config, const Dataset& dataset) {
  return !is_network(encoder_of(config)) || (dataset.user_features.empty() && dataset.item_features.empty());
}

MemoryNeed prepare_memory(const BlockSizes& sizes, const GraphConfig& graph, std::int64_t table_bytes) {
  auto most =
      prepare_bytes({sizes.interactions + sizes.held_out, sizes.timed, sizes.users + sizes.items, sizes.id_bytes});
  if (sizes.feature_entries > 0) most = std::max(most, table_bytes + feature_reading_bytes(sizes.largest_feature));
  if (sizes.users_alone) {
    most = std::max(most, table_bytes + similar_users_bytes(sizes.users, sizes.interactions, graph.neighbours));
  }
  return {most};
}

MemoryNeed partition_memory(std::int64_t nodes, std::int64_t entries, std::int64_t shards, int ranks,
                            const PartitionConfig& partition) {
  // A block's column, weight and begin of rows.
  MemoryNeed memory{(12 * entries + 8 * nodes) / ranks};
  if (partition.tool == PartitionTool::metis) {
    memory.bytes += metis_memory_bytes(nodes, entries, shards, partition.objective);
  }
  return memory;
}

MemoryNeed spectral_memory(const StageSizes& sizes, const ModelConfig& model, std::int64_t held) {
  const EncoderSizes encoder{sizes.rows, sizes.entries};
  const auto row = row_bytes(model.dim);
  const auto owned = sizes.rows.owned;
  // Vectors, and beside them what they are iterated by or what is made of them: the rows and what those are made of,
  // on their way to blocks.
  auto memory = eigenvectors_memory(encoder, model);
  auto rows = halo_memory(sizes.rows, model.dim, 1);
  rows.bytes += owned * (4 * row + 2 * model.dim * static_cast<std::int64_t>(sizeof(float)));
  memory = larger(memory, rows);
  if (held == 0) return memory;
  // The graph without what is held back, beside the whole one; before it is there, its entries on their way.
  const auto graph = 8 * sizes.entries + 28 * owned;
  memory.bytes = held + std::max(memory.bytes + graph, sharding_bytes(sizes.entries));
  return memory;
}

MemoryParts clustering_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder,
                              bool interactions) {
  const auto row = row_bytes(model.dim);
  const auto under_way = 2 * model.dim * static_cast<std::int64_t>(sizeof(float));  // what is sent, and what came
  const auto owned = sizes.rows.owned;
  // The embedding by blocks of users and items for the file, and users by shard, as k-means has them.
  auto memory = MemoryParts().add(owned * (row + under_way) + sizes.users * row, fewer_columns);
  if (is_network(encoder) || !interactions) return memory;
  // What new users are folded in with: the parameters by rank with room for ghosts; the encoder without its last layer;
  // its result on its way to blocks.
  auto below_last = model;
  below_last.layers = encoder == EncoderKind::spectral ? 0 : std::max<std::int64_t>(model.layers - 1, 0);
  auto fold_in = encoder_memory(EncoderSizes{sizes.rows, sizes.entries}, below_last);
  fold_in += halo_memory(sizes.rows, model.dim);
  fold_in.bytes += owned * row;
  return memory.add(fold_in, fewer_columns);
}

MemoryNeed segment_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder, bool interactions,
                          bool learns_rows) {
  auto memory = larger(clustering_memory(sizes, model, encoder, interactions).need(), {sharding_bytes(sizes.entries)});
  memory.bytes += (learns_rows ? 2 : 1) * sizes.rows.owned * row_bytes(model.dim);
  return memory;
}

MemoryParts profile_memory(const BlockSizes& sizes, const Config& config) {
  ProfileSizes profile{sizes.users, sizes.items, sizes.all_items, sizes.interactions, sizes.held_out, 0};
  profile.pairs = std::min(sizes.interactions, segments_at_most(config.segment) * sizes.items);
  // What is kept of attributes is no larger than their text.
  MemoryParts profiles;
  profiles.add(profile_bytes(profile), fewer_interactions);
  profiles.add(sizes.attribute_text, "fewer columns of attributes");
  const auto reading =
      sizes.attribute_text > 0 ? attribute_reading_bytes(sizes.attribute_text, sizes.users + sizes.items) : 0;
  return larger(profiles, MemoryParts().add(reading, "fewer columns of attributes"));
}

std::int64_t read_result_bytes(const BlockSizes& sizes, const ModelConfig& model, EncoderKind encoder) {
  const bool fold_in = sizes.all_items > 0 && !is_network(encoder);
  return result_bytes({sizes.users, sizes.items, model.dim, sizes.id_bytes, fold_in});
}

std::int64_t read_lists_bytes(const BlockSizes& sizes, const Config& config) {
  return sizes.all_items > 0 ? lists_bytes(sizes.users, config.recommend.count) : 0;
}

bool trains_to_recommend(Strategy strategy, std::int64_t interactions) {
  return strategy == Strategy::automatic ? interactions <= most_trained_again
                                         : strategy == Strategy::blend || strategy == Strategy::hybrid;
}

bool filters_to_recommend(Strategy strategy, std::int64_t users, std::int64_t interactions) {
  if (strategy != Strategy::automatic) return is_filtered(strategy);
  return interactions <= most_trained_again && within_filter_limit(users, interactions);
}

MemoryParts recommend_memory(const BlockSizes& sizes, const Config& config, const ModelConfig& model,
                             const std::optional<HaloRows>& filter) {
  MemoryParts parts;
  if (sizes.all_items == 0) return parts;
  const auto strategy = config.recommend.strategy;
  const auto ranking = ranking_sizes(sizes, segments_at_most(config.segment), model, sizes.users);
  parts.add(read_lists_bytes(sizes, config), "a smaller recommend.count");
  parts.add(ranking_bytes(ranking, strategy, config.recommend.count), fewer_interactions);
  add_filter(sizes, model, filter, parts);
  if (trains_to_recommend(strategy, sizes.all_interactions)) parts.add(validation_bytes(ranking), personal_alone);
  return parts;
}

MemoryParts evaluate_memory(const BlockSizes& sizes, const Config& config, const ModelConfig& model,
                            const std::optional<HaloRows>& filter) {
  auto most = MemoryParts().add(cluster_quality_bytes(sizes.users, sizes.all_users, model.dim), fewer_columns);
  if (sizes.users_alone) {
    most = larger(most, MemoryParts().add(user_graph_bytes(sizes.entries), fewer_entries(true)));
  }
  if (sizes.all_items > 0) {
    const auto entries = sizes.users_alone ? 2 * sizes.interactions : sizes.entries;
    most = larger(most, MemoryParts().add(bipartite_graph_bytes(entries), fewer_interactions));
  }
  if (sizes.held_out > 0) {
    const auto tested = std::min(sizes.users, sizes.held_out);
    const auto ranking = ranking_sizes(sizes, segments_at_most(config.segment), model, tested);
    MemoryParts parts;
    parts.add(ranking_bytes(ranking, Strategy::personal, std::ranges::max(config.evaluate.k)), fewer_interactions);
    add_filter(sizes, model, filter, parts);
    most = larger(most, parts);
  }
  return most;
}

HaloRows filter_rows(const BlockSizes& sizes, int ranks) {
  return {(sizes.all_users + sizes.all_items + ranks - 1) / ranks};
}

}  // namespace cohort
