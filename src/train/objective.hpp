// What is minimised: which embeddings a step looks at, what it loses on them, and the gradient of that. For the
// trainer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "model/weights.hpp"
#include "train/positives.hpp"
#include "train/training_state.hpp"

namespace cohort {

/// What an objective moved between ranks. Of this rank, since construction.
struct ObjectiveTraffic {
  std::int64_t remote_rows = 0;  ///< rows that were fetched from other ranks
  std::int64_t bytes_sent = 0;
  double waiting_seconds = 0;  ///< for rows of other ranks
};

/// An epoch is some steps. They are planned many at a time, so that a step itself needs no call of all ranks. Calls are
/// made a few times a step, never for a row. Collective unless marked local.
class Objective {
 public:
  Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;
  virtual ~Objective() = default;

  /// What the next step depends on beside the epoch's and its own number. Local.
  virtual TrainingState state() = 0;
  /// Of every epoch. Local.
  virtual std::int64_t steps() const = 0;
  /// Samples of an epoch, of all ranks. Local.
  virtual std::int64_t samples() const = 0;
  /// How many views of graph and input it looks at; local.
  virtual int views() const { return 1; }
  /// Whether a view may be of a corrupted graph and input; local.
  virtual bool corrupts(int /*view*/) const { return true; }
  /// What it learns beside the encoder: heads, centres. None: nothing. Local.
  virtual std::span<Weight> weights() { return {}; }
  /// By weight, after gradient() of the last view. Local.
  virtual std::span<const Matrix> weight_gradients() const { return {}; }
  /// Epochs count from 1.
  virtual void begin_epoch(std::int64_t epoch) = 0;
  /// Plans steps of the epoch from `first` on, at least one; returns how many. Those of before are forgotten.
  virtual std::int64_t plan(std::int64_t first) = 0;

  // Of a planned step. What is returned is valid until the next gradient() or plan().

  /// Which embeddings it wants of a view. Local.
  virtual RowSelection rows(std::int64_t step, int view) const = 0;
  /// Where those of a view belong, in that order, before gradient() is called. Local.
  virtual MatrixView outputs(std::int64_t step, int view) = 0;
  /// The gradient by the embedding of a view; of all views, in order. layer_zero: owned rows. loss_by_shard: one number
  /// for each shard of this rank, written for view 0; later views may add to them. The loss is their sum over all
  /// shards.
  virtual SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                                  std::span<double> loss_by_shard) = 0;
  /// What the loss has of layer 0 itself, after gradient(): its gradient by an owned row is this times the row. Local.
  virtual std::span<const float> decay() const = 0;
  /// What the learning rate is multiplied by at a step of all that are planned, counted from 0 over all epochs. Local.
  virtual double rate_factor(std::int64_t step, std::int64_t total) const = 0;

  /// Local.
  virtual ObjectiveTraffic traffic() const = 0;
};

/// segments: of losses that share the nodes out. Throws InputError where there is nothing to train on. What is passed
/// must outlive it. Collective.
std::unique_ptr<Objective> make_objective(const Communicator& comm, const ShardGraph& graph,
                                          const NodeDirectory& directory, const Positives& positives,
                                          const ModelConfig& model, const TrainConfig& train, std::int64_t segments,
                                          int threads);

}  // namespace cohort
