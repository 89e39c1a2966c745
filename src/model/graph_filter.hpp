// Signals on the items, smoothed over the graph of the interactions without anything learnt: a polynomial of
// P = R~' R~ in Chebyshev's form, R~ = D_u^-1/2 R D_i^-1/2 (Kim et al. 2025, "Graph Spectral Filtering with Chebyshev
// Interpolation for Recommendation", arXiv:2505.00552, eq. 9; Shuman et al. 2011, "Chebyshev Polynomial Approximation
// for Distributed Signal Processing").
//
//   y = sum over k of c_k T_k(I - 2 P) x
//
// The eigenvalues of P are within [0, 1], so those of I - 2 P are within [-1, 1]; T_0 = 1, T_1(z) = z, T_k+1(z) =
// 2 z T_k(z) - T_k-1(z). The polynomial is 0 at 0: what is smooth on the graph stays. Theirs rises nearly in a line to
// 1 at 1, so that the few largest eigenvalues, popularity first, say most; that suits sparse data. On dense data the
// ridge regression of items on items has more of the others: its response is p / (p + m) (EASE, Steck 2019, without its
// zero diagonal), of which a polynomial of the same degree is taken.
#pragma once

#include <array>
#include <cstdint>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "model/row_set.hpp"

namespace cohort {

class GraphFilter {
 public:
  static constexpr std::int64_t columns = 64;             ///< signals that are filtered together
  static constexpr std::int64_t products = 5;             ///< with P
  using Coefficients = std::array<double, products + 1>;  ///< c

  /// graph: without edges between users, or these are taken for what they are not; must outlive this. Holds three rows
  /// of `columns` a node. Throws RunError where the memory is not there. Collective.
  GraphFilter(const Communicator& comm, const ShardGraph& graph, int threads);

  /// The owned rows of items, shard by shard.
  const RowSet& items() const { return items_; }
  /// Where x goes: the owned rows of items. All ranks must have taken part in something collective since apply().
  MatrixView signals() { return even_.view(); }
  /// y, in the owned rows of items, until the next call. The bits of a column depend on nothing but the column.
  /// Collective.
  ConstMatrixView apply(const Coefficients& coefficients);

 private:
  RowSet users_;
  RowSet items_;
  Propagation propagation_;
  HaloMatrix even_;  ///< T_k x of even k
  HaloMatrix odd_;
  Matrix sum_;
};

/// c of p / (p + ridge), the best in the mean of squares with weights (1 - z^2)^-1/2 and then moved to 0 at 0; of ridge
/// 0 those of Kim et al. Local.
GraphFilter::Coefficients filter_coefficients(double ridge);

}  // namespace cohort
