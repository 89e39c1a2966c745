// LightGCN's encoder (He et al. 2020, arXiv:2002.02126): the mean over layers of the propagated layer-0 embedding, and
// its backward pass, on the sharded graph with the halo exchange hidden behind the interior rows. For the trainer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/row_exchange.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

struct SparseRows;

/// Some owned rows: interior rows ascending and boundary rows ascending, each with its cuts by this rank's shards.
struct RowSelection {
  std::span<const LocalRow> interior;
  std::span<const std::int64_t> interior_begin;  ///< this rank's shards + 1: offsets into interior
  std::span<const LocalRow> boundary;
  std::span<const std::int64_t> boundary_begin;

  std::int64_t size() const { return std::ssize(interior) + std::ssize(boundary); }
};

/// A gradient that is zero outside some rows: those of `rows` (interior, then boundary), then those of `ghost`.
struct SparseGradient {
  RowSelection rows;
  std::span<const LocalRow> ghost;  ///< local rows of the ghosts that are not zero, ascending
  const ExchangePlan* halo;         ///< brings the ghosts' rows from their owners' `value`
  MatrixView value;                 ///< rows.size() + ghost.size() rows; those of the ghosts are written
};

class LightGcn {
 public:
  /// layers >= 0; 0 is plain matrix factorisation. halo: made for graph.halo and graph.owned(); says the columns. Holds
  /// min(layers, 2) matrices of that layout. `graph` and `halo` must outlive it. Throws RunError where the memory is
  /// not there. Collective.
  LightGcn(const Communicator& comm, const ShardGraph& graph, const HaloLayout& halo, std::int64_t layers, int threads);

  /// Eq. 4 to 8 with equal weights: row i of `out` is that of the i-th of `rows` in 1/(L+1) sum over l = 0..L of
  /// Ahat^l E, by Horner's rule Y <- E + Ahat Y. base: of the encoder's layout, E in its owned rows;
  /// with one layer neighbours may read them until the next call of this class has exchanged something. Collective.
  void forward(HaloMatrix& base, const RowSelection& rows, MatrixView out);
  /// All owned rows, in their order; valid until the next call. Collective.
  ConstMatrixView forward(HaloMatrix& base);

  /// Takes the finished gradient of some owned rows (ascending; row i of `gradient` is that of rows[i], and may be
  /// written). Called by several threads at a time, once for every owned row in all.
  using GradientSink = std::function<void(std::span<const LocalRow> rows, MatrixView gradient)>;

  /// The gradient by E of a loss whose gradient by the propagated rows is given: the same operator, as Ahat is
  /// symmetric. It reaches `sink` in small blocks and is never a whole matrix. Collective.
  void backward(const SparseGradient& gradient, const GradientSink& sink);

  std::int64_t bytes_sent() const { return exchange_.bytes_sent(); }  ///< by this rank, since construction
  double waiting_seconds() const { return waiting_; }                 ///< for rows of other ranks, since construction

 private:
  using Rows = std::span<const LocalRow>;
  /// What a thread writes while it works on a block of rows.
  struct Scratch {
    Matrix block;
    std::vector<std::int64_t> row_begin;  ///< the block's rows of Ahat without the columns where the gradient is zero
    std::vector<LocalRow> column;
    std::vector<float> value;
  };

  /// Calls work(first, last) for each shard's range of a selection's list; the main thread lets MPI make progress.
  template <class Work>
  void over_shards(std::span<const std::int64_t> begin, Work work);
  /// Calls work(rows, first) for all of `rows`, part by part, the boundary once the exchange has finished; `first` is
  /// the place of the part's first row in the selection.
  template <class Work>
  void overlapped(const RowSelection& rows, Work work);
  template <class Work>
  void in_blocks(const RowSelection& rows, Work work);
  HaloMatrix& next_buffer();
  RowSelection all_rows() const;
  SparseRows ahat() const;
  HaloMatrix& propagate_to_last(HaloMatrix& base);
  /// out[i] = factor * (row rows[i] of Ahat times the gradient).
  void add_neighbours(const SparseGradient& gradient, Rows rows, float factor, Scratch& scratch, MatrixView out) const;
  /// Adds factor times the gradient itself to the target rows that have one; target(i) is that of rows[i].
  template <class Target>
  void add_own(const SparseGradient& gradient, Rows rows, float factor, Target target) const;

  const ShardGraph& graph_;
  const HaloLayout& halo_;
  std::int64_t layers_;
  std::int64_t columns_;
  int threads_;
  RowExchange exchange_;
  std::vector<LocalRow> mapped_column_;  ///< where there are ghosts
  std::span<const LocalRow> column_;     ///< of Ahat: rows of a HaloMatrix
  HaloMatrix buffer_[2];
  int last_buffer_ = 0;
  std::vector<Scratch> scratch_;     ///< by thread
  std::vector<std::int32_t> place_;  ///< local rows: place in the sparse gradient at hand, -1 where it is zero
  double waiting_ = 0;
};

}  // namespace cohort
