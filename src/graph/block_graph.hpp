// The graph before it is partitioned: nodes in the dictionary's order (users, then items), rows in blocks over the
// ranks that have about even numbers of nodes and entries together. This is what a partitioner reads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "core/ids.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// Symmetric weighted adjacency without self-loops. Row i of this rank is node distribution.begin(rank) + i; columns of
/// a row ascend.
struct BlockGraph {
  Distribution distribution;  ///< of nodes; total: U + I
  std::int64_t users = 0;     ///< nodes 0..users-1 are users, the others items
  std::vector<std::int64_t> row_begin{0};
  std::vector<NodeId> column;
  std::vector<float> weight;  ///< edge weight, before normalisation

  std::int64_t nodes() const { return distribution.total(); }
  std::int64_t rows() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
};

/// Users and items as nodes, interactions as edges, social edges between users. An interaction of weight w weighs 1
/// (options.weight "binary"), ln(1 + w) ("log") or w ("raw"), a social edge options.social_weight * w; an edge that
/// then weighs nothing is left out. Throws InputError where a weight is beyond float. Collective.
BlockGraph bipartite_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options);

}  // namespace cohort
