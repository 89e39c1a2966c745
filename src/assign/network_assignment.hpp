// Users placed by the network itself, on the graph that it was trained on: their interactions are edges to items, or,
// where users alone are nodes, to the users that they are most like by the rule that joined those; their friendships
// are edges to their friends. For `assign`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assign/assignment.hpp"
#include "assign/newcomers.hpp"
#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "model/network.hpp"
#include "model/node_features.hpp"
#include "result/segments.hpp"

namespace cohort {

struct NetworkAssignInput {
  const SegmentsFile* result;
  const Dataset* dataset;  ///< that the network was trained on
  GraphConfig graph;
  const ShardedGraph* sharded;
  const NodeFeatures* features;  ///< that the network reads; no columns: none
  Network* network;
  HaloMatrix* base;  ///< layer 0, as the network's forward() reads it
};

/// The users in `interactions` of each item of this rank's block of items. Collective.
std::vector<std::int64_t> users_of_items(const Communicator& comm, const Dataset& dataset, const GraphConfig& graph);

/// As assign(). A user of the graph is placed as if it were a new one, beside itself: it is not compared with itself. A
/// user without edges into the graph and without features has no basis. newcomers.features: of as many columns, file by
/// file, as the network read, or none at all. Collective.
Assignment assign_by_network(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers,
                             const AssignOptions& options);

/// Throws InputError where a file of features (as many as the dataset has) has another number of columns than that of
/// `trained` in its place. Local, the same on all ranks.
void check_newcomer_features(const Dataset& dataset, std::span<const FeatureTable> features,
                             const std::vector<std::string>& files, const std::vector<std::string>& trained);

}  // namespace cohort
