// What a network reads of the nodes.
#pragma once

#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "model/node_features.hpp"

namespace cohort {

/// Every file with its scaling, "auto" settled. Views of `tables`. Local.
std::vector<ScaledTable> scaled_tables(const std::vector<FeatureTable>& tables,
                                       const std::vector<FeatureScaling>& scaling);

/// The features of the dataset, scaled as [input] says; none where it has none. Collective.
NodeFeatures network_input(const Communicator& comm, const InputConfig& input, const Dataset& dataset,
                           const ShardedGraph& sharded, int threads);

}  // namespace cohort
