// LightGCN's encoder (He et al. 2020, arXiv:2002.02126): the mean over layers of the propagated layer-0 embedding, and
// its backward pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/matrix.hpp"
#include "model/encoder.hpp"
#include "model/propagation.hpp"

namespace cohort {

class LightGcn final : public Encoder {
 public:
  /// layers >= 0; 0 is plain matrix factorisation. Holds min(layers, 2) of the propagation's matrices. Throws RunError
  /// where the memory is not there. Collective.
  LightGcn(const Communicator& comm, Propagation& propagation, std::int64_t layers);

  /// Eq. 4 to 8 with equal weights: 1/(L+1) sum over l = 0..L of Ahat^l E, by Horner's rule Y <- E + Ahat Y.
  void forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) override;
  ConstMatrixView forward(HaloMatrix& base) override;
  /// The same operator, as Ahat is symmetric.
  void backward(const SparseGradient& gradient, const GradientSink& sink) override;

 private:
  using Rows = Propagation::Rows;
  /// What a thread writes while it works on a block of rows.
  struct Scratch {
    Matrix block;
    std::vector<std::int64_t> row_begin;  ///< the block's rows of Ahat without the columns where the gradient is zero
    std::vector<LocalRow> column;
    std::vector<float> value;
  };

  HaloMatrix& next_buffer();
  HaloMatrix& propagate_to_last(HaloMatrix& base);
  /// Where a thread makes the results of some rows.
  MatrixView block_of(int thread, Rows rows);
  /// out[i] = factor * (row rows[i] of Ahat times the gradient).
  void add_neighbours(const SparseGradient& gradient, Rows rows, float factor, Scratch& scratch, MatrixView out) const;
  /// Adds factor times the gradient itself to the target rows that have one; target(i) is that of rows[i].
  template <class Target>
  void add_own(const SparseGradient& gradient, Rows rows, float factor, Target target) const;

  Propagation& propagation_;
  std::int64_t layers_;
  HaloMatrix buffer_[2];
  int last_buffer_ = 0;
  std::vector<Scratch> scratch_;     ///< by thread
  std::vector<std::int32_t> place_;  ///< local rows: place in the sparse gradient at hand, -1 where it is zero
};

}  // namespace cohort
