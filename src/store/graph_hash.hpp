// What tells one graph, and one partition of it, from another: numbers that belong to every checkpoint. They do not
// depend on the ranks. Collective.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "store/graph_file.hpp"

namespace cohort {

/// Of the ids, the interactions and the social edges, with their weights.
std::int64_t graph_hash(const Communicator& comm, const Dataset& dataset);

/// Of the shard of every node.
std::int64_t partition_hash(const Communicator& comm, const StoredPartition& partition);

}  // namespace cohort
