// Which contiguous run of shards each rank owns.
#pragma once

#include <cstdint>
#include <span>

#include "comm/distribution.hpp"

namespace cohort {

/// Throws InputError where there are more ranks than shards. Local.
void need_shards(std::int64_t shards, int ranks);

/// Cuts the shards into `ranks` runs, each of at least one shard, such that the dearest run is as cheap as possible,
/// and among such cuts each run is near to an even share of what is left. shard_cost: S, not negative. Throws
/// InputError where there are more ranks than shards. Local.
Distribution cut_points(std::span<const std::int64_t> shard_cost, int ranks);

}  // namespace cohort
