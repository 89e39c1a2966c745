#include "core/shard_tree.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace cohort {

std::vector<ShardBlock> maximal_blocks(std::int32_t first, std::int32_t last, std::int32_t shards) {
  std::vector<ShardBlock> blocks;
  while (first < last) {
    std::int32_t height = 0;
    while (true) {
      const std::int64_t size = std::int64_t{2} << height;
      const bool aligned = first % size == 0;
      const bool inside = std::min<std::int64_t>(first + size, shards) <= last;
      if (!aligned || !inside || (std::int64_t{1} << height) >= shards) break;
      ++height;
    }
    blocks.push_back({height, first >> height});
    first = static_cast<std::int32_t>(std::min<std::int64_t>(first + (std::int64_t{1} << height), shards));
  }
  return blocks;
}

void sum_block(ShardBlock block, std::int32_t shards, std::span<const double> partials, std::int32_t first,
               std::int64_t width, std::span<double> result) {
  const std::int64_t begin = std::int64_t{block.index} << block.height;
  const auto columns = static_cast<std::size_t>(width);
  if (block.height == 0) {
    std::copy_n(partials.begin() + (begin - first) * width, columns, result.begin());
    return;
  }
  const ShardBlock left{block.height - 1, block.index * 2};
  const ShardBlock right{block.height - 1, block.index * 2 + 1};
  sum_block(left, shards, partials, first, width, result);
  if ((std::int64_t{right.index} << right.height) >= shards) return;
  std::vector<double> other(columns);
  sum_block(right, shards, partials, first, width, other);
  for (std::size_t i = 0; i < columns; ++i) result[i] += other[i];
}

namespace {
// Consumes the blocks inside `node` from the front of the list.
void join_node(ShardBlock node, std::int32_t shards, std::span<const ShardBlock> blocks, std::span<const double> rows,
               std::size_t width, std::size_t& next, double* result) {
  COHORT_CHECK(next < blocks.size());
  if (blocks[next].height == node.height) {
    COHORT_CHECK(blocks[next].index == node.index);
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(next * width), width, result);
    ++next;
    return;
  }
  join_node({node.height - 1, node.index * 2}, shards, blocks, rows, width, next, result);
  const ShardBlock right{node.height - 1, node.index * 2 + 1};
  if ((std::int64_t{right.index} << right.height) >= shards) return;
  std::vector<double> other(width);
  join_node(right, shards, blocks, rows, width, next, other.data());
  for (std::size_t i = 0; i < width; ++i) result[i] += other[i];
}
}  // namespace

void join_blocks(std::span<const ShardBlock> blocks, std::int32_t shards, std::span<const double> rows,
                 std::int64_t width, std::span<double> result) {
  std::int32_t height = 0;
  while ((std::int64_t{1} << height) < shards) ++height;
  std::size_t next = 0;
  join_node({height, 0}, shards, blocks, rows, static_cast<std::size_t>(width), next, result.data());
  COHORT_CHECK(next == blocks.size());
}

}  // namespace cohort
