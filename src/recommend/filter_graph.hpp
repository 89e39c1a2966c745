// The graph that the strategies filter and hybrid smooth over: the interactions alone, on the same shards as the graph
// that was trained on. Social edges are no part of it.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "graph/block_graph.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

struct FilterGraph {
  ShardGraph graph;
  std::vector<double> degree;  ///< of this rank's owned rows, weighted
  GraphConfig weighting;       ///< how much an interaction weighs
};

/// blocks: the interactions' graph, without social edges; sharded: the same on its shards. Collective.
FilterGraph filter_graph(const Communicator& comm, const BlockGraph& blocks, ShardGraph sharded,
                         const GraphConfig& weighting);

/// Multiply-adds that filtering takes for so many users, over all ranks: a column of 64 for each of them, ten times
/// over the interactions. Local.
double filter_cost(std::int64_t users, std::int64_t interactions);

/// What recommend.strategy = "auto" is ready to spend on filtering: some two minutes of one core.
constexpr double filter_limit = 2e12;
inline bool within_filter_limit(std::int64_t users, std::int64_t interactions) {
  return filter_cost(users, interactions) <= filter_limit;
}

}  // namespace cohort
