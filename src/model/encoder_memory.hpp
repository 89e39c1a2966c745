// What an encoder keeps in memory, known without making one. For predictions; local but for what says otherwise.
#pragma once

#include <cstdint>

#include "comm/machine_memory.hpp"
#include "core/config.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// What of a rank's part decides how much an encoder takes.
struct EncoderSizes {
  HaloRows rows;
  std::int64_t entries = 0;          ///< of the adjacency
  std::int64_t feature_columns = 0;  ///< of what a network reads; 0 where rows are learned
  std::int64_t feature_entries = 0;
  std::int64_t views = 1;  ///< of a step, each of which keeps what its backward pass needs
};

/// Of a rank that is there: rows of its machine are read in place. Without neighbours, whose memory is theirs.
/// Collective.
HaloRows halo_rows(const Communicator& comm, const ShardGraph& graph);

/// `model` with its columns and layers; with the propagation that the encoder is made with.
MemoryNeed encoder_memory(const EncoderSizes& sizes, const ModelConfig& model);

/// NodeFeatures of so many entries: that is what a network reads, beside what it keeps itself.
std::int64_t node_features_bytes(std::int64_t owned, std::int64_t entries);

/// What node_features() takes at its peak, its result included. largest: entries of the file that has most.
std::int64_t making_features_bytes(std::int64_t owned, std::int64_t entries, std::int64_t largest);

/// The block that leading_eigenvectors() iterates with its image, its propagation, and the vectors that it returns.
MemoryNeed eigenvectors_memory(const EncoderSizes& sizes, const ModelConfig& model);

}  // namespace cohort
