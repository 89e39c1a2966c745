// The allreduce of floating-point sums: one partial per shard, added in the fixed binary tree over shard numbers
// (core/shard_tree.hpp), so that the bits do not depend on how many ranks hold the shards.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/shard_tree.hpp"

namespace cohort {

/// Which blocks of the tree each rank adds up alone: known once, for any number of sums. A sum costs two MPI calls.
class ShardSum {
 public:
  /// `comm` must outlive it. Local.
  ShardSum(const Communicator& comm, const ShardLayout& layout);

  /// partials: this rank's shards x width, row-major, float64. Returns the sum over all shards (width), the same bits
  /// on every rank and for every number of ranks. Each rank finishes 1/P of the columns. Collective.
  std::vector<double> of(std::span<const double> partials, std::int64_t width) const;

  /// The same where the partials are too large for a row a shard: add(shard, partial) adds to `partial` (width zeros)
  /// what the shard (counted from this rank's first) has. They are folded into the tree as they finish, so that a
  /// thread keeps one for each level of the tree. Shards are given to several threads at a time. Collective.
  using AddShard = std::function<void(std::int64_t shard, std::span<double> partial)>;
  std::vector<double> fold(std::int64_t width, int threads, const AddShard& add) const;

  /// The same for one number per shard.
  double of(std::span<const double> partials) const { return of(partials, 1).front(); }

 private:
  std::span<const ShardBlock> own_blocks() const;
  /// rows: of this rank's blocks x width.
  std::vector<double> join(std::span<const double> rows, std::int64_t width) const;

  const Communicator& comm_;
  std::int32_t shards_;
  std::int32_t first_;
  std::int32_t last_;
  std::vector<ShardBlock> blocks_;         // of all ranks, in the order of the tree
  std::vector<std::int64_t> block_begin_;  // P + 1: those of a rank
};

/// A single sum. Collective.
inline double shard_sum(const Communicator& comm, const ShardLayout& layout, std::span<const double> partials) {
  return ShardSum(comm, layout).of(partials);
}
inline std::vector<double> shard_sum(const Communicator& comm, const ShardLayout& layout,
                                     std::span<const double> partials, std::int64_t width) {
  return ShardSum(comm, layout).of(partials, width);
}

}  // namespace cohort
