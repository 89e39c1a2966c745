// Users placed by the network itself, on the graph that it was trained on: their interactions are edges to items, or,
// where users alone are nodes, to the users that they are most like by the rule that joined those; their friendships
// are edges to their friends. For `assign`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assign/assignment.hpp"
#include "assign/newcomers.hpp"
#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "graph/user_similarity.hpp"
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

/// The network beside the graph that it was trained on, for any number of users: runs over the graph once.
class NetworkPlacer {
 public:
  /// What input points to must outlive it. Collective.
  NetworkPlacer(const Communicator& comm, const NetworkAssignInput& input);

  struct Embedded {
    Matrix rows;
    std::vector<char> has_basis;  ///< edges into the graph, or features
  };
  /// users: by id; items, friends: rows for each, with the graph's weights. A user of the graph is placed as if it were
  /// a new one, beside itself: it is not compared with itself. features: of as many columns, file by file, as the
  /// network read, or none at all. The bits of a row depend on its user alone. Collective.
  Embedded embed(const IdTable& users, const PairTable& items, const PairTable& friends,
                 std::span<const FeatureTable> features);

 private:
  PairTable edges_into(const IdTable& users, const PairTable& items, const PairTable& friends);

  const Communicator& comm_;
  NetworkAssignInput input_;
  GraphRows rows_;
  std::optional<UserIndex> similar_;  ///< where users alone are nodes, and have items
};

/// As assign(), by the placer. Collective.
Assignment assign_by_network(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers,
                             const AssignOptions& options);

/// Throws InputError where a file of features (as many as the dataset has) has other columns than that of `trained` in
/// its place (data/feature_columns.hpp). Local, the same on all ranks.
void check_newcomer_features(const Dataset& dataset, std::span<const FeatureTable> features,
                             const std::vector<std::string>& files, const std::vector<std::string>& trained);

}  // namespace cohort
