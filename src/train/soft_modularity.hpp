// The modularity of soft segments and its gradient: DMoN's loss (Tsitsulin et al. 2020, "Graph Clustering with Graph
// Neural Networks", arXiv:2006.16904, eq. 8). For objectives.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/shard_sum.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "model/weights.hpp"

namespace cohort {

/// What linear heads make of rows: scores (<x, weight_j> + bias_j) / temperature, one of each of k segments.
struct SegmentHead {
  ConstMatrixView weight;       ///< k x d, the same on all ranks
  std::span<const float> bias;  ///< k; empty: zeros
  double temperature = 1;
};

/// With C the softmax of every node's scores, A the graph's weights, d its degrees, 2m their sum and n the nodes, the
/// loss is
///   - Tr(C' (A - d d' / 2m) C) / 2m + (sqrt(k) / n |sum over i of C_i| - 1).
/// A is never made dense and d d' never formed: Tr(C' d d' C) = |sum over i of d_i C_i|^2.
class SoftModularity {
 public:
  /// Of rows of `columns` columns into `count` segments. `graph` must outlive it. Throws InputError where the graph has
  /// no edges, RunError where the memory is not there. Collective.
  SoftModularity(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, std::int64_t count,
                 int threads);

  /// rows: owned x d. Returns the loss, the same on all ranks, and adds it to that of the first of all shards; by_rows
  /// (owned x d, may be `rows` itself) becomes its gradient by `rows`, and by_weight() and by_bias() those by the head,
  /// the same on all ranks. Collective.
  double gradient(ConstMatrixView rows, const SegmentHead& head, MatrixView by_rows, std::span<double> loss_by_shard);
  const Matrix& by_weight() const { return by_weight_; }
  const Matrix& by_bias() const { return by_bias_; }  ///< 1 x k
  /// Of the last gradient(): the segment of largest share of each owned row, ties to the smaller number.
  std::span<const std::int32_t> segment() const { return segment_; }

  std::int64_t count() const { return count_; }
  std::int64_t bytes_sent() const { return propagation_.bytes_sent(); }
  double waiting_seconds() const { return propagation_.waiting_seconds(); }

 private:
  void assign(ConstMatrixView rows, const SegmentHead& head);
  void mix();
  double finish(ConstMatrixView rows, const SegmentHead& head, MatrixView by_rows);
  std::pair<std::int64_t, std::int64_t> rows_of(std::int64_t shard) const;

  const ShardGraph& graph_;
  Propagation propagation_;
  ShardSum shard_sum_;
  int rank_;
  int threads_;
  std::int64_t shards_;
  std::int64_t columns_;
  std::int64_t count_;
  double nodes_;                ///< of all ranks
  double total_degree_;         ///< 2m
  Matrix share_;                ///< owned x k: C
  HaloMatrix scaled_;           ///< the rows of C times the roots of their degrees
  Matrix mixed_;                ///< owned x k: Ahat times that; then the gradient by the scores
  std::vector<double> size_;    ///< k: the sum of C's rows
  std::vector<double> volume_;  ///< k: the same, each row times its degree
  std::vector<std::int32_t> segment_;
  Matrix by_weight_;
  Matrix by_bias_;
};

}  // namespace cohort
