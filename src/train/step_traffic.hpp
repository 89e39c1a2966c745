// What training sends, known without training: bytes of each of some number of ranks. For predictions.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "graph/rank_shares.hpp"
#include "train/positives.hpp"

namespace cohort {

/// As EpochStats and the history of a model count it, by rank.
struct EpochTraffic {
  std::int64_t steps = 0;
  std::vector<std::int64_t> halo_bytes;  ///< sent for propagation by all steps of an epoch
  std::vector<std::int64_t> pair_bytes;  ///< and for the rows that the objective reads
  std::vector<std::int64_t> view_bytes;  ///< for one embedding of all rows, beside: a checkpoint's, and that of the end
};

/// Of an epoch: exactly, each epoch alike, but with BPR, whose sampled pairs make it exact for the first one. model and
/// train without "auto"; feature_columns: as encoder_traffic has it. Throws InputError for losses that no rule is known
/// of. Collective.
EpochTraffic epoch_traffic(const Communicator& comm, const ShardedGraph& sharded, const Positives& positives,
                           const RankShares& shares, const ModelConfig& model, const TrainConfig& train,
                           std::int64_t feature_columns);

/// Sums over all ranks that every step makes.
struct StepSums {
  std::vector<std::int64_t> bytes;    ///< of integers, element by element
  std::vector<std::int64_t> numbers;  ///< of float64 by the tree of shards
};
StepSums step_sums(const ModelConfig& model, const TrainConfig& train, std::int64_t feature_columns);

/// Bytes that the rank that sends most sends in the sums of a step. Local.
std::int64_t reduction_bytes(const StepSums& sums, const ShardLayout& layout);

/// Steps of an epoch. Local.
std::int64_t steps_of_epoch(const TrainConfig& train, std::int64_t users, const Positives& positives);

}  // namespace cohort
