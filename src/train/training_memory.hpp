// Training's memory, checked before it is allocated. For the trainer.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "comm/machine_memory.hpp"
#include "train/trainer.hpp"

namespace cohort {

/// Steps are drawn and planned this many at a time, or as many as have this many triples a rank.
constexpr std::int64_t steps_at_a_time = 64;
constexpr std::int64_t triples_at_a_time = std::int64_t{1} << 18;

/// What a rank trains on.
struct TrainingSizes {
  HaloRows rows;
  std::int64_t messages = 0;  ///< rows that it sends to other machines in an exchange
  std::int64_t entries = 0;
  std::int64_t positives = 0;
  std::int64_t all_positives = 0;    ///< of all ranks
  std::int64_t feature_columns = 0;  ///< of what a network reads; 0 where rows are learned
  std::int64_t feature_entries = 0;
};

/// What train() allocates, at its peak: the estimate that it checks, of a rank that need not be there. Local.
MemoryNeed training_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks);

/// Throws RunError on all ranks where a machine has not left what training takes. Collective.
void need_training_memory(const Communicator& comm, const ShardGraph& graph, const Positives& positives,
                          const TrainOptions& options);

/// Bytes of Positives. Local.
std::int64_t positives_bytes(std::int64_t positives, std::int64_t owned);

/// What the weights that read features need, from above: they and their gradient, two moments, a copy of each view, a
/// checkpoint's, and the sums of `threads` threads. 0 without features. Local.
std::int64_t input_weight_bytes(const InputFeatures& features, const ModelConfig& model, int threads);

/// What soft segments need, of dmon and of the joint phase: every node's shares in them, those of neighbours and their
/// gradient. 0 without. Local.
std::int64_t soft_segment_bytes(const HaloRows& rows, const ModelConfig& model, const TrainConfig& train,
                                std::int64_t segments);

}  // namespace cohort
