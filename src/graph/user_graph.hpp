// The graph of users alone (graph.kind = "user"): joined by what they share and by whom they know.
#pragma once

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "graph/block_graph.hpp"

namespace cohort {

/// The edges of user_graph, both directions of each, in the blocks of the dataset's users. Collective.
PairTable user_edges(const Communicator& comm, const Dataset& dataset, const GraphConfig& options);

/// Users as nodes, an edge for each of dataset.neighbours (graph/user_similarity.hpp) with its weight, and one for each
/// social edge with options.social_weight * w; where two users have both, their sum. What then weighs nothing is left
/// out. A user without edges stays, with an empty row. Throws InputError where a weight is beyond float. Collective.
BlockGraph user_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options);

/// user_graph or bipartite_graph, as the dataset is for. Collective.
BlockGraph block_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options);

}  // namespace cohort
