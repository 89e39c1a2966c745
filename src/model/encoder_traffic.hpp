// Which exchanges of the halo an encoder makes, known without making any. For predictions; local.
#pragma once

#include <cstdint>
#include <vector>

#include "core/config.hpp"

namespace cohort {

/// Exchanges by the columns of the rows that travel, each of all rows that the halo sends.
struct EncoderTraffic {
  std::vector<std::int64_t> step;      ///< forward and backward of one view
  std::int64_t sparse = 0;             ///< columns of the rows that have a gradient, whose ghosts are fetched; 0: none
  std::vector<std::int64_t> all_rows;  ///< of the embedding of all rows: a checkpoint, and the end
  std::vector<std::int64_t> weight_sizes;  ///< numbers in each weight, whose gradient is a sum over all shards
};

/// `model` with its columns and layers; feature_columns: of what a network reads, 0 where rows are learned.
EncoderTraffic encoder_traffic(const ModelConfig& model, std::int64_t feature_columns);

}  // namespace cohort
