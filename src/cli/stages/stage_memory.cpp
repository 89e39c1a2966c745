#include "cli/stages/stage_memory.hpp"

#include <algorithm>

#include "core/matrix.hpp"
#include "model/encoder_memory.hpp"
#include "partition/metis_cut.hpp"
#include "train/choices.hpp"

namespace cohort {

StageMemory partition_memory(std::int64_t nodes, std::int64_t entries, std::int64_t shards, int ranks,
                             const PartitionConfig& partition) {
  // A block's column, weight and begin of rows.
  StageMemory memory{(12 * entries + 8 * nodes) / ranks};
  if (partition.tool == PartitionTool::metis) {
    memory.bytes += metis_memory_bytes(nodes, entries, shards, partition.objective);
  }
  return memory;
}

StageMemory segment_memory(const StageSizes& sizes, const ModelConfig& model, EncoderKind encoder, bool interactions) {
  const auto row = padded_stride(model.dim) * static_cast<std::int64_t>(sizeof(float));
  const auto under_way = 2 * model.dim * static_cast<std::int64_t>(sizeof(float));  // what is sent, and what came
  const auto owned = sizes.rows.owned;
  // The embedding as it was read, by blocks of users and items for the file, and users by shard, as k-means has them.
  StageMemory memory{owned * (2 * row + under_way) + sizes.users * row};
  // Before it the rank's block of the whole graph, and all entries on their way to their shards.
  memory.bytes = std::max(memory.bytes, 38 * sizes.entries);
  if (is_network(encoder) || !interactions) return memory;
  // What new users are folded in with: the parameters, read, and by rank with room for ghosts; the encoder without its
  // last layer; its result on its way to blocks.
  auto below_last = model;
  below_last.layers = std::max<std::int64_t>(model.layers - 1, 0);
  const auto below = encoder_memory(EncoderSizes{sizes.rows, sizes.entries}, below_last);
  memory.bytes += 2 * owned * row + sizes.rows.bytes(model.dim) + below.bytes;
  memory.seen_bytes += sizes.rows.seen_bytes(model.dim) + below.seen_bytes;
  return memory;
}

}  // namespace cohort
