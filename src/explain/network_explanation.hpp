// Why a user is in its segment where a network with weights made the embedding, which is no sum over neighbours: each
// neighbour's edge is left out of the graph, degrees and all, and the whole network is run again on what is left. A
// neighbour's contribution is how much of the difference between the distances goes with its edge. These are exact, as
// whole passes over the graph, but do not add up to the difference, since what two neighbours do together is not the
// sum of what each does.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/ids.hpp"
#include "graph/shard_graph.hpp"
#include "model/network.hpp"
#include "result/segments.hpp"

namespace cohort {

struct NetworkExplainInput {
  const ShardedGraph* sharded;
  Network* network;
  HaloMatrix* base;  ///< layer 0, as the network's forward() reads it
  const SegmentsFile* result;
  bool spherical = false;
};

struct LeftOut {
  NodeId node;               ///< an item or a user
  double value = 0;          ///< the difference less that without the edge: above 0 it speaks for the user's segment
  std::int32_t segment = 0;  ///< the nearest without the edge
};

struct NetworkExplanation {
  NodeId user;
  std::int32_t segment = 0;
  std::int32_t runner_up = 0;
  double distance = 0;  ///< squared Euclidean, or 1 - cosine, of the embedding as the network gives it
  double runner_up_distance = 0;
  double difference = 0;        ///< runner_up_distance - distance
  double alone = 0;             ///< the difference without any of its edges: what the network makes of its own input
  std::int64_t neighbours = 0;  ///< all of them
  /// Of the explained_neighbours that the user's row is mixed with most strongly (of equal ones the smaller nodes);
  /// largest first, ties to the smaller node.
  std::vector<LeftOut> contributions;
};
/// Each of them costs a pass over the graph.
inline constexpr std::int64_t explained_neighbours = 50;

/// user: its number. Needs two segments at least; throws InputError otherwise. The same on all ranks. Collective.
NetworkExplanation explain_by_network(const Communicator& comm, const NetworkExplainInput& input, std::int64_t user);

}  // namespace cohort
