// Training: an encoder, an objective and Adam, epoch after epoch, the same bits on any number of ranks and threads.
// For the command line, and for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/interruption.hpp"
#include "core/matrix.hpp"
#include "core/saved_state.hpp"
#include "graph/shard_graph.hpp"
#include "model/encoder.hpp"
#include "train/initial_state.hpp"
#include "train/joint.hpp"
#include "train/positives.hpp"
#include "train/sampler.hpp"
#include "train/training_state.hpp"

namespace cohort {

/// One epoch; the same on all ranks. What is counted and timed is of this call of train() alone, where that went on
/// from the middle of the epoch.
struct EpochStats {
  std::int64_t epoch = 0;  ///< counted from 1
  double loss = 0;         ///< mean over all its steps, as the objective has it
  std::int64_t steps = 0;
  std::int64_t first_step = 0;      ///< the first of this call; 0 but where it went on from the middle of the epoch
  std::int64_t triples = 0;         ///< of all ranks and steps
  std::int64_t remote_rows = 0;     ///< rows of sampled pairs that were fetched from other ranks, over all ranks
  double seconds = 0;               ///< of the slowest rank, checkpoints included
  std::int64_t halo_bytes = 0;      ///< sent for propagation, by the rank that sent most
  std::int64_t pair_bytes = 0;      ///< sent for rows and gradients of sampled pairs, by the rank that sent most
  double waiting_seconds = 0;       ///< for other ranks, of the rank that waited most
  std::optional<JointStats> joint;  ///< in the joint phase
};

/// How far training has come.
struct TrainProgress {
  std::int64_t epochs = 0;  ///< whole ones
  std::int64_t step = 0;    ///< steps done of the epoch after them
};

/// What training has come to; valid during the call.
struct TrainView {
  ConstMatrixView embedding;  ///< owned x dim, propagated: what is clustered and ranked
  TrainingState state;        ///< what it goes on from; rows "parameters" (owned x dim): layer 0, where it is
                              ///< trained
  TrainProgress progress;
  std::span<const EpochStats> history;  ///< whole epochs of this call of train()
  bool ended = false;                   ///< the last view: training is over
};

struct TrainOptions {
  ModelConfig model;
  TrainConfig train;      ///< without "auto" (train/choices.hpp); train.epochs counts those of the start too
  SegmentConfig segment;  ///< of dmon and of the joint phase: how many, and how k-means finds the first centres
  int threads = 1;
  InputFeatures features;  ///< of the owned rows: what a network reads instead of learned rows; must outlive train()
  /// After every epoch, on all ranks with the same stats. Must not throw on one rank alone.
  std::function<void(const EpochStats&)> on_epoch;
  /// For a checkpoint, and in the end; on all ranks; may communicate.
  std::function<void(const TrainView&)> on_state;
  /// Whether this rank was asked to end; looked at between steps.
  std::function<bool()> asked_to_end = interruption_requested;
};

/// Where training goes on; of the same graph, dim and batch.
struct TrainStart {
  TrainProgress progress;
  SavedState state;  ///< of owned rows
  std::string name;  ///< for messages: where it is from
};

/// Of this rank in this call, as in EpochStats.
struct TrainResult {
  TrainProgress progress;
  std::vector<EpochStats> history;
  std::int64_t remote_rows = 0;
  std::int64_t halo_bytes = 0;
  std::int64_t pair_bytes = 0;
  double waiting_seconds = 0;
};

/// Bytes that train() will allocate on this rank. Local, but for which ranks share the machine. Collective.
std::int64_t training_bytes(const Communicator& comm, const ShardGraph& graph, const Positives& positives,
                            const ModelConfig& model, const TrainConfig& train, const InputFeatures& features = {});

/// Trains train.epochs epochs, or fewer where train.minutes would be exceeded: rank 0 starts no epoch but the first
/// that is likely to end after it; an epoch that was begun is finished. A checkpoint is made every
/// train.checkpoint_every epochs and train.checkpoint_minutes, in the middle of an epoch too, and when this was done
/// changes no bit. Without `start` it starts as train.start says: from normal(0, 0.1) numbers, as the authors, or
/// from the leading eigenvectors (model/spectral.hpp); with `initial` from what that has, and from such numbers where
/// it has nothing. With train.joint the last joint_epochs() of the epochs are the joint phase (train/joint.hpp):
/// k-means over the users' embeddings of before makes its first centres, or they are those of `initial`. Throws, on all
/// ranks: Interrupted, after a checkpoint, where one of them was asked to end before the last epoch has; RunError: too
/// little memory (says how much a rank needs and how many ranks would do), a loss beyond float32's range or no number
/// at all (names the epoch); InputError: nothing to train on, `start` is none of this model. Collective.
TrainResult train(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                  const Positives& positives, const TrainOptions& options,
                  std::optional<TrainStart> start = std::nullopt, const InitialState* initial = nullptr);

}  // namespace cohort
