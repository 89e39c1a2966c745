// What turns layer 0 into the embedding, and the gradient by the one into the gradient by the other. For the trainer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "model/propagation.hpp"

namespace cohort {

/// Takes the finished gradient of some owned rows (ascending; row i of `gradient` is that of rows[i], and may be
/// written). Called by several threads at a time, once for every owned row in all.
using GradientSink = std::function<void(std::span<const LocalRow> rows, MatrixView gradient)>;

/// Calls are made a few times a step, never for a row. All of them collective.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// Row i of `out` is the embedding of the i-th of `rows`. base: the propagation's matrix, layer 0 in its owned rows;
  /// neighbours may read them until the next call of this class has exchanged something.
  virtual void forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) = 0;
  /// All owned rows, in their order; valid until the next call.
  virtual ConstMatrixView forward(HaloMatrix& base) = 0;
  /// The gradient by layer 0 of a loss whose gradient by the embedding is given. It reaches `sink` in small blocks and
  /// is never a whole matrix.
  virtual void backward(const SparseGradient& gradient, const GradientSink& sink) = 0;
};

/// Of those that are trained; "auto" is LightGCN. Throws RunError where the memory is not there. `propagation` must
/// outlive it. Collective.
std::unique_ptr<Encoder> make_encoder(const Communicator& comm, const ModelConfig& model, Propagation& propagation);

}  // namespace cohort
