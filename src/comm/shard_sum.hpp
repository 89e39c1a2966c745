// The allreduce of floating-point sums: one partial per shard, added in the fixed binary tree over shard numbers
// (core/shard_tree.hpp), so that the bits do not depend on how many ranks hold the shards.
#pragma once

#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

/// partials: this rank's shards x width, row-major, float64. Returns the sum over all shards (width), the same bits on
/// every rank and for every number of ranks. Each rank finishes 1/P of the columns. Collective.
std::vector<double> shard_sum(const Communicator& comm, const ShardLayout& layout, std::span<const double> partials,
                              std::int64_t width);

/// The same for one number per shard.
double shard_sum(const Communicator& comm, const ShardLayout& layout, std::span<const double> partials);

}  // namespace cohort
