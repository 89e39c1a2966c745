// Segments carried over from users to the other nodes of their graph: for the modularity of the whole graph.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "graph/block_graph.hpp"

namespace cohort {

/// The segment of every node of this rank's block of `graph`: a user's own; an item's is that from which most of its
/// edge weight comes (added in float64 in the order of the users), ties to the smaller; -1 for an item without edges.
/// segment: of this rank's block of users, as `users` has it, each 0..count-1. Collective.
std::vector<std::int32_t> node_segments(const Communicator& comm, const BlockGraph& graph, const Distribution& users,
                                        std::span<const std::int32_t> segment, std::int64_t count);

}  // namespace cohort
