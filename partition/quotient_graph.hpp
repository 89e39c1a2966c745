// The graph of shards: its nodes are shards, an edge's weight is the number of edges between two shards.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/block_graph.hpp"
#include "partition/block_shards.hpp"

namespace cohort {

/// Symmetric, without self-loops; columns of a row ascend.
struct QuotientGraph {
  std::vector<std::int64_t> row_begin{0};  ///< S + 1
  std::vector<std::int32_t> column;
  std::vector<std::int64_t> weight;

  std::int32_t shards() const { return static_cast<std::int32_t>(row_begin.size()) - 1; }
};

/// On rank 0; empty elsewhere. Collective.
QuotientGraph quotient_graph(const Communicator& comm, const BlockGraph& blocks, const BlockShards& assignment);

}  // namespace cohort
