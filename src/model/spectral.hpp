// The leading eigenvectors of the whole normalised adjacency, by block subspace iteration on the sharded graph: an
// embedding without training, and what training starts from.
//
// Without social edges the graph's eigenvectors come in pairs (u, v) and (u, -v) of eigenvalues s and -s: the singular
// vectors and values of R~ = D_u^-1/2 R D_i^-1/2. The two halves are then iterated by turns, each product of half the
// adjacency. With social edges, or without items, the eigenvectors are those of largest magnitude.
//
// Orthonormal bases by shifted Cholesky QR, twice (Fukaya et al. 2020, "Shifted Cholesky QR for computing the QR
// factorization of ill-conditioned matrices", algorithm 4.1 and 4.2), their Gram matrices in float64 by shards in the
// fixed tree; Rayleigh-Ritz at the end (Saad 2011, "Numerical Methods for Large Eigenvalue Problems", algorithm 5.3).
// The same bits at any number of ranks and threads.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

struct SpectralOptions {
  std::int64_t dim = 64;
  /// Products of the whole adjacency with the block. Clusters of eigenvalues converge together: what counts is the
  /// space, which a few iterations find well enough for a start.
  std::int64_t iterations = 6;
  /// Columns iterated beside the wanted ones; the space converges with the ratio of the first left out to the last
  /// kept.
  std::int64_t oversampling = 16;
  std::uint64_t seed = 42;
  int threads = 1;
};

struct Spectrum {
  /// owned x dim: column j is the j-th eigenvector by magnitude of its eigenvalue, or, of a graph without edges between
  /// users, left singular vectors in the rows of users and right ones in those of items. Each (half) has length 1, its
  /// entry of largest magnitude is positive (of equals, the smallest NodeId's). Directions whose eigenvalue is below
  /// 1e-3 of the largest are zero, with their value.
  Matrix vectors;
  std::vector<double> values;  ///< (dim) eigenvalues, or singular values; the same on all ranks
};

/// Throws RunError where the memory is not there. Collective.
Spectrum leading_eigenvectors(const Communicator& comm, const ShardGraph& graph, const SpectralOptions& options);

/// An embedding that nothing trains, as LightGCN's of one layer: base E, and users' rows (E + Ahat E) / 2. E is twice
/// d^(1/2 - b) times a node's row of the eigenvectors; users' rows of it are zero where none are joined, so that theirs
/// are D_u^-1/2 R D_i^-b V. Items' rows are D_i^b V: how far popularity counts is in b.
struct SpectralRows {
  Matrix base;       ///< owned x dim
  Matrix embedding;  ///< owned x dim
};
/// Collective.
SpectralRows spectral_rows(const Communicator& comm, const ShardGraph& graph, const Spectrum& spectrum, double b,
                           int threads);

/// Rows of vectors times |values|^1/2, each scaled to `length` (a row of zeros stays): what training starts from.
/// Local.
Matrix spectral_start(const Spectrum& spectrum, double length);

}  // namespace cohort
