// The leading eigenvectors of a graph's regularised adjacency, by which its communities are found.
//
// M = D_t^-1/2 A D_t^-1/2 with D_t = D + t, t the mean degree (Qin and Rohe 2013, "Regularized spectral clustering
// under the degree-corrected stochastic blockmodel"). Without t the first eigenvectors of a graph with loose nodes are
// those of its smallest pieces; with it a piece of few nodes has a small eigenvalue.
//
// The eigenvectors are those of largest value, not magnitude: a large negative value is of a group that has its
// neighbours elsewhere. By subspace iteration with Chebyshev filters (Zhou, Saad, Tiago and Chelikowsky 2006,
// "Self-consistent-field calculations using Chebyshev-filtered subspace iteration", algorithm 4.2), which makes small
// everything below the block's smallest Ritz value.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/spectral.hpp"

namespace cohort {

struct RegularisedOptions {
  std::int64_t dim = 20;
  std::uint64_t seed = 42;
  int threads = 1;
};

struct RegularisedSpectrum {
  Spectrum spectrum;  ///< vectors: owned x dim; values descending. Those not above 1e-3 of the first are zero
  double added = 0;   ///< t
};

/// Iterates until the values move by less than 1e-6, at most 40 times. Throws RunError where the memory is not there.
/// The same bits at any number of ranks and threads. Collective.
RegularisedSpectrum regularised_eigenvectors(const Communicator& comm, const ShardGraph& graph,
                                             const RegularisedOptions& options);

/// What a node gives to its neighbours and what it has of them, for embeddings that are Ahat times rows of the nodes
/// (as LightGCN's with one layer whose own rows do not count).
struct CommunityRows {
  Matrix base;       ///< owned x dim: 2 V |values|^(power - 1) by rows sqrt(d / (d + t)), columns without a value zero
  Matrix embedding;  ///< owned x dim: Ahat base / 2 = V |values|^power by rows sqrt((d + t) / d)
};

/// Collective.
CommunityRows community_rows(const Communicator& comm, const ShardGraph& graph, const RegularisedSpectrum& found,
                             double power, int threads);

}  // namespace cohort
