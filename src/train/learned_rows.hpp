// Layer 0, learned with Adam: a row of every node and its two moments. For the trainer.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/matrix.hpp"
#include "kernels/rows.hpp"
#include "model/propagation.hpp"
#include "train/training_state.hpp"

namespace cohort {

class LearnedRows {
 public:
  /// Zero. `propagation` must outlive it. Throws RunError where the memory is not there. Collective.
  LearnedRows(const Communicator& comm, const Propagation& propagation);

  /// Normal numbers of standard deviation 0.1, keyed by node and column. Local.
  void initialise(std::uint64_t seed);
  /// The owned rows are these. Local.
  void set(ConstMatrixView rows);
  /// The same for those alone that are `known` (by owned row). Local.
  void set(ConstMatrixView rows, std::span<const char> known);
  TrainingState state();
  HaloMatrix& matrix() { return rows_; }
  ConstMatrixView owned() const { return rows_.view(); }

  /// Adam's constants of the next step. Local.
  AdamStep next_step(double learning_rate) { return adam_step(learning_rate, ++steps_); }
  /// Adam on owned rows whose gradient is in the cache; adds decay times the row to it before. decay: by owned row; 0
  /// for most. Different rows by several threads. Local.
  void update(const AdamStep& adam, std::span<const float> decay, std::span<const LocalRow> rows, MatrixView gradient);

 private:
  const ShardGraph& graph_;
  HaloMatrix rows_;
  Matrix first_moment_;
  Matrix second_moment_;
  std::int64_t steps_ = 0;  ///< so far
};

}  // namespace cohort
