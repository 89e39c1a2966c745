// What an encoder keeps in memory, known without making one. For predictions; local.
#pragma once

#include <cstdint>

#include "comm/halo_matrix.hpp"
#include "core/config.hpp"

namespace cohort {

/// What of a rank's part decides how much an encoder takes.
struct EncoderSizes {
  HaloRows rows;
  std::int64_t entries = 0;          ///< of the adjacency
  std::int64_t feature_columns = 0;  ///< of what a network reads; 0 where rows are learned
  std::int64_t feature_entries = 0;
  std::int64_t views = 1;  ///< of a step, each of which keeps what its backward pass needs
};

struct EncoderMemory {
  std::int64_t bytes = 0;       ///< of the machine
  std::int64_t seen_bytes = 0;  ///< of other ranks, as HaloRows has it
};

/// `model` with its columns and layers; with the propagation that the encoder is made with.
EncoderMemory encoder_memory(const EncoderSizes& sizes, const ModelConfig& model);

/// The block that leading_eigenvectors() iterates with its image, its propagation, and the vectors that it returns.
EncoderMemory eigenvectors_memory(const EncoderSizes& sizes, const ModelConfig& model);

}  // namespace cohort
