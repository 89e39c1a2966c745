// The BPR loss of a step's triples and its gradient by the propagated rows: rows of other ranks are fetched, gradients
// of theirs go back one triple at a time, and every row adds up in one order. For the trainer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/row_exchange.hpp"
#include "core/matrix.hpp"
#include "model/propagation.hpp"
#include "train/step_plan.hpp"

namespace cohort {

/// Rendle et al. 2009 (BPR-Opt) as in LightGCN's eq. 15 and its authors' program: the mean over the step's triples of
///   softplus(<e_u, e_j> - <e_u, e_i>) + decay/2 (|e_u0|^2 + |e_i0|^2 + |e_j0|^2),
/// e propagated rows, e0 those of layer 0, i the positive and j the negative.
class PairLoss {
 public:
  PairLoss(const Communicator& comm, std::int64_t columns, double decay, int threads);

  /// Makes room for the steps of `plans`. May throw bad_alloc. Local.
  void reserve(std::span<const StepPlan> plans);
  /// Where the propagated rows of plan.rows() belong before gradient() is called.
  MatrixView embedding(const StepPlan& plan) { return embedding_.view().slice(0, std::ssize(plan.touched)); }

  /// The gradient without its L2 term; valid until the next call. parameters: owned rows of layer 0. partial: one
  /// number for each shard of this rank; the loss is their sum over all shards. Collective among ranks with common
  /// triples.
  SparseGradient gradient(const StepPlan& plan, ConstMatrixView parameters, std::span<double> partial);
  /// What the L2 term adds to the gradient of layer 0 is this times the layer-0 row; i: index into plan.touched.
  float decay_of(const StepPlan& plan, std::size_t i) const;

  std::int64_t bytes_sent() const { return exchange_.bytes_sent(); }  ///< by this rank, since construction
  double waiting_seconds() const { return waiting_; }                 ///< for rows of other ranks, since construction

 private:
  void score(const StepPlan& plan);
  void sum_partials(const StepPlan& plan, ConstMatrixView parameters, std::span<double> partial);
  void return_gradients(const StepPlan& plan);
  void add_gradients(const StepPlan& plan);

  std::int64_t columns_;
  double decay_;
  int threads_;
  RowExchange exchange_;
  Matrix embedding_;                ///< touched rows, then fetched ones
  Matrix gradient_;                 ///< touched rows, then touched ghosts
  Matrix outgoing_;                 ///< gradients of rows of other ranks, by plan.remote
  Matrix incoming_;                 ///< gradients of own rows from other ranks
  std::vector<double> loss_;        ///< by own triple
  std::vector<float> coefficient_;  ///< by own triple: minus the derivative of its part of the mean by <e_u, e_i>
  std::vector<double> norm_;        ///< by touched row: |e0|^2
  double waiting_ = 0;
};

}  // namespace cohort
