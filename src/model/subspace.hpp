// A block of columns over the nodes of the sharded graph and what subspace iteration does with it: products with the
// adjacency, orthonormal bases, small eigenproblems. For model/spectral.cpp and model/communities.cpp.
//
// Bases by shifted Cholesky QR (Fukaya et al. 2020, "Shifted Cholesky QR for computing the QR factorization of
// ill-conditioned matrices", algorithm 4.1 and 4.2), their Gram matrices in float64 by shards in the fixed tree. The
// same bits at any number of ranks and threads.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/shard_sum.hpp"
#include "core/eigen.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "model/row_set.hpp"

namespace cohort {

/// Directions whose eigenvalue is below this share of the largest are noise of float32, or not there.
inline constexpr double least_eigenvalue_share = 1e-3;

/// Collective, but for what says otherwise.
class Subspace {
 public:
  struct Pairs {
    std::vector<double> values;
    Eigen::MatrixXd vectors;  ///< a column each
  };
  enum class Order {
    magnitude,  ///< of equals the positive first
    value,
  };
  enum class Passes { once, twice };

  /// `graph` must outlive it.
  Subspace(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, int threads);

  std::int64_t columns() const { return columns_; }
  HaloMatrix matrix() const { return propagation_.matrix(); }
  template <class Choose>
  RowSet chosen(Choose choose) const {
    RowSet set;
    comm_.attempt([&] { set = choose_rows(graph_, choose); });
    return set;
  }
  /// Normal numbers, keyed by node and column. Local.
  void start(const RowSet& set, std::uint64_t seed, HaloMatrix& rows) const;
  /// out's rows of `set` = those of Ahat times in.
  void multiply(const RowSet& set, HaloMatrix& in, HaloMatrix& out);
  /// x' y over the rows of the set, columns x columns, the same bits on all ranks.
  Eigen::MatrixXd products(const RowSet& set, const HaloMatrix& x, const HaloMatrix& y) const;
  /// rows <- rows * basis, in float32.
  void transform(const RowSet& set, const Eigen::MatrixXd& basis, HaloMatrix& rows) const;
  /// Once: the same space and columns that are independent enough to go on with; twice: orthonormal. Where the rows
  /// have fewer directions than columns, what is left over is noise that has no eigenvalue.
  void orthonormalise(const RowSet& set, HaloMatrix& rows, Passes passes = Passes::twice) const;
  /// Of a symmetric matrix, in descending order; the same bits on all ranks.
  Pairs eigenpairs(const Eigen::MatrixXd& projected, Order order) const;
  /// The first `wanted` columns of the block with length 1 in each of the sets, which together are all rows, signs
  /// fixed: owned x dim.
  Matrix finish(std::initializer_list<const RowSet*> sets, HaloMatrix& block, std::int64_t dim) const;

 private:
  template <class Make>
  Eigen::MatrixXd on_root(Make make) const;
  Eigen::MatrixXd inverse_factor(const Eigen::MatrixXd& gram) const;
  std::vector<std::int64_t> signs(const HaloMatrix& block, std::int64_t wanted) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  std::int64_t columns_;
  int threads_;
  std::int64_t together_;  ///< rows of the products that are summed at once
  ShardSum shard_sum_;
  Propagation propagation_;
};

}  // namespace cohort
