// Training: LightGCN with the BPR loss and Adam, epoch after epoch, the same bits on any number of ranks and threads.
// For the command line, and for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "train/positives.hpp"
#include "train/sampler.hpp"

namespace cohort {

/// One epoch; the same on all ranks.
struct EpochStats {
  std::int64_t epoch = 0;  ///< counted from 1
  double loss = 0;         ///< mean over steps of the BPR loss with its L2 term (Rendle et al. 2009)
  std::int64_t steps = 0;
  std::int64_t triples = 0;      ///< of all ranks
  std::int64_t remote_rows = 0;  ///< rows of sampled pairs that were fetched from other ranks, over all ranks
  double seconds = 0;            ///< of the slowest rank
  std::int64_t halo_bytes = 0;   ///< sent for propagation, by the rank that sent most
  std::int64_t pair_bytes = 0;   ///< sent for rows and gradients of sampled pairs, by the rank that sent most
  double waiting_seconds = 0;    ///< for other ranks, of the rank that waited most
};

/// What training goes on from; rows are this rank's owned rows.
struct TrainState {
  Matrix parameters;  ///< owned x dim, layer 0
  Matrix first_moment;
  Matrix second_moment;
  std::int64_t epochs = 0;  ///< done so far
};

/// The state after an epoch, for a checkpoint; valid during the call.
struct TrainView {
  ConstMatrixView embedding;  ///< owned x dim, propagated
  ConstMatrixView parameters;
  ConstMatrixView first_moment;
  ConstMatrixView second_moment;
  std::int64_t epochs = 0;
  std::span<const EpochStats> history;  ///< of this call of train()
};

struct TrainOptions {
  ModelConfig model;
  TrainConfig train;  ///< train.epochs counts those of `initial` too
  int threads = 1;
  /// Start from here; nullptr: from normal(0, 0.1) numbers, as the authors. Same graph, dim and batch as before.
  const TrainState* initial = nullptr;
  /// After every epoch, on all ranks with the same stats. Must not throw on one rank alone.
  std::function<void(const EpochStats&)> on_epoch;
  /// Every train.checkpoint_every epochs but the last, on all ranks; may communicate.
  std::function<void(const TrainView&)> on_checkpoint;
};

struct TrainResult {
  Matrix embedding;   ///< owned x dim, propagated: what is clustered and ranked
  Matrix parameters;  ///< owned x dim, layer 0: what is trained
  Matrix first_moment;
  Matrix second_moment;
  std::int64_t epochs = 0;  ///< done in all
  std::vector<EpochStats> history;
  // Of this rank in this call, as in EpochStats.
  std::int64_t remote_rows = 0;
  std::int64_t halo_bytes = 0;
  std::int64_t pair_bytes = 0;
  double waiting_seconds = 0;
};

/// Bytes that train() will allocate on this rank, from above. Local.
std::int64_t training_bytes(const ShardGraph& graph, const Positives& positives, const ModelConfig& model,
                            const TrainConfig& train, int ranks);

/// Trains train.epochs epochs, or fewer where train.minutes would be exceeded: rank 0 starts no epoch but the first
/// that is likely to end after it. Throws RunError on all ranks: too little memory (says how much a rank needs and how
/// many ranks would do), a loss beyond float32's range or no number at all (names the epoch); InputError: nothing to
/// train on. Collective.
TrainResult train(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                  const Positives& positives, const TrainOptions& options);

}  // namespace cohort
