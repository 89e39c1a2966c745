// Training's memory, checked before it is allocated. For the trainer.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "train/trainer.hpp"

namespace cohort {

/// Steps are drawn and planned this many at a time, or as many as have this many triples a rank.
constexpr std::int64_t steps_at_a_time = 64;
constexpr std::int64_t triples_at_a_time = std::int64_t{1} << 18;

/// What a rank trains on.
struct TrainingSizes {
  std::int64_t owned = 0;   ///< rows
  std::int64_t ghosts = 0;  ///< rows
  std::int64_t sent_rows = 0;
  std::int64_t entries = 0;
  std::int64_t positives = 0;
  std::int64_t all_positives = 0;  ///< of all ranks

  std::int64_t local() const { return owned + ghosts; }
};

/// The estimate that train() checks, of a rank that need not be there. Local.
std::int64_t training_bytes(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks);

/// What the weights that read features need, from above: they and their gradient, two moments, a copy of each view, a
/// checkpoint's, and the sums of `threads` threads. 0 without features. Local.
std::int64_t input_weight_bytes(const InputFeatures& features, const ModelConfig& model, int threads);

/// What soft segments need, of dmon and of the joint phase: every node's shares in them, those of neighbours and their
/// gradient. 0 without. Local.
std::int64_t soft_segment_bytes(const ShardGraph& graph, const ModelConfig& model, const TrainConfig& train,
                                std::int64_t segments);

/// Throws RunError on all ranks where a machine has not left what its ranks need, `bytes` on this rank. Collective.
void check_training_memory(const Communicator& comm, std::int64_t bytes);

}  // namespace cohort
