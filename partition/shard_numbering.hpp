// The numbers of shards: recursive bisection of the quotient graph, so that any contiguous run of shards is a compact
// region and choosing ranks means only choosing cut points.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "partition/quotient_graph.hpp"

namespace cohort {

/// number[s], a permutation of 0..S-1: the new number of shard s. Each set of shards is cut in two of even cost with
/// few edges between them; of the two, the one drawn more to the shards with smaller numbers, and less to those with
/// larger ones, comes first. Shards of no cost get the last numbers. Deterministic. shard_cost: S. Local.
std::vector<std::int32_t> number_shards(const QuotientGraph& quotient, std::span<const std::int64_t> shard_cost,
                                        std::uint64_t seed);

}  // namespace cohort
