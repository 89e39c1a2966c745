// The fixed binary tree over shard numbers, in which every floating-point reduction is made. The tree's shape depends
// on the number of shards alone: leaf s is shard s, a node joins two aligned blocks of 2^h shards, missing leaves
// (S no power of two) are left out. comm/shard_sum.hpp finishes it over ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cohort {

/// An aligned block of the tree: shards [index << height, (index + 1) << height), cut at S.
struct ShardBlock {
  std::int32_t height = 0;
  std::int32_t index = 0;
};

/// The fewest aligned blocks that together make up shards [first, last), in order.
std::vector<ShardBlock> maximal_blocks(std::int32_t first, std::int32_t last, std::int32_t shards);

/// Sums `width` columns of `partials` (one row per shard of [first, last), row-major) up the tree inside `block`;
/// writes the block's row to `result` (width). float64.
void sum_block(ShardBlock block, std::int32_t shards, std::span<const double> partials, std::int32_t first,
               std::int64_t width, std::span<double> result);

/// Joins the rows of blocks that cover all S shards, in order, up to the root. rows: blocks.size() x width.
void join_blocks(std::span<const ShardBlock> blocks, std::int32_t shards, std::span<const double> rows,
                 std::int64_t width, std::span<double> result);

}  // namespace cohort
