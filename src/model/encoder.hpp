// What turns layer 0 into the embedding, and the gradient by the one into the gradient by the other. For the trainer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "kernels/spmm.hpp"
#include "model/propagation.hpp"
#include "model/weights.hpp"

namespace cohort {

/// What is left out of the graph and the input, for one view of one step.
struct Corruption {
  double edges = 0;    ///< share of the edges
  double columns = 0;  ///< share of the input's columns
  std::uint64_t seed = 42;
  std::uint32_t number = 0;  ///< of the view, over all of training
};

/// Features of the owned rows: columns of `rows` are those of the features. columns 0: there are none.
struct InputFeatures {
  SparseRows rows;
  std::int64_t columns = 0;
  std::int64_t stand_ins =
      0;  ///< the last of the columns: they stand for what a node lacks, and no view leaves them out
};

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

  /// The next forward() of rows is of this view, corrupted so, and keeps what its backward() needs. Views count from 0;
  /// an encoder without weights has one alone, and it is never corrupted. Calls of forward() without rows are of
  /// nothing corrupted, and forget what view 0 kept.
  virtual void look(int /*view*/, const Corruption& /*corruption*/) {}
  /// The next backward() is of this view. Local.
  virtual void turn_to(int /*view*/) {}
  /// None: nothing is learned but layer 0. Local.
  virtual std::span<Weight> weights() { return {}; }
  /// By weight: the sum over backward() of all views, since the one of view 0. Local.
  virtual std::span<const Matrix> weight_gradients() const { return {}; }
  /// Beside what the propagation that it was made with sent and waited for. Local.
  virtual std::int64_t bytes_sent() const { return 0; }
  virtual double waiting_seconds() const { return 0; }
};

/// Of those that are trained; "auto" is LightGCN. Throws RunError where the memory is not there. `propagation` and the
/// features must outlive it; only networks look at features, and sow their weights by `seed`. Collective.
std::unique_ptr<Encoder> make_encoder(const Communicator& comm, const ModelConfig& model, std::uint64_t seed,
                                      Propagation& propagation, const InputFeatures& features);

}  // namespace cohort
