// Users placed by the network itself, on the graph that it was trained on: their interactions are edges to items, or,
// where users alone are nodes, to the users that they are most like by the rule that joined those. For `assign`.
#pragma once

#include <cstdint>
#include <vector>

#include "assign/assignment.hpp"
#include "assign/newcomers.hpp"
#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "model/network.hpp"
#include "result/segments.hpp"

namespace cohort {

struct NetworkAssignInput {
  const SegmentsFile* result;
  const Dataset* dataset;  ///< that the network was trained on
  GraphConfig graph;
  const ShardedGraph* sharded;
  Network* network;
  HaloMatrix* base;  ///< layer 0, as the network's forward() reads it
};

/// The users in `interactions` of each item of this rank's block of items. Collective.
std::vector<std::int64_t> users_of_items(const Communicator& comm, const Dataset& dataset, const GraphConfig& graph);

/// As assign(). A user of the graph is placed as if it were a new one, beside itself: it is not compared with itself. A
/// user without edges into the graph has no basis. Collective.
Assignment assign_by_network(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers,
                             const AssignOptions& options);

}  // namespace cohort
