// A network as training left it, to be run again: for explanations, and for users that it has not seen.
#pragma once

#include "cli/stages/network_input.hpp"
#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "core/config.hpp"
#include "graph/shard_graph.hpp"
#include "model/network.hpp"
#include "model/node_features.hpp"
#include "model/propagation.hpp"
#include "store/graph_file.hpp"
#include "store/model_file.hpp"

namespace cohort {

class TrainedNetwork {
 public:
  /// config: of the result; sharded: of `graph`, must outlive it. model: ModelPart::trained. Throws InputError where
  /// the model's weights are not those of such a network, RunError where the memory is not there. Collective.
  TrainedNetwork(const Communicator& comm, const Config& config, const GraphFile& graph, const ShardedGraph& sharded,
                 const ModelFile& model, int threads);

 private:
  Propagation propagation_;

 public:
  NodeFeatures features;
  Network network;
  HaloMatrix base;  ///< layer 0; zeros where the network reads features alone
};

}  // namespace cohort
