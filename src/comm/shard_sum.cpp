#include "comm/shard_sum.hpp"

#include <algorithm>

#include "core/shard_tree.hpp"

namespace cohort {

std::vector<double> shard_sum(const Communicator& comm, const ShardLayout& layout, std::span<const double> partials,
                              std::int64_t width) {
  const std::int32_t shards = layout.shards();
  const std::int32_t first = layout.first_shard(comm.rank());
  const std::int32_t last = layout.last_shard(comm.rank());
  COHORT_CHECK(static_cast<std::int64_t>(partials.size()) == (last - first) * width);
  std::vector<double> result(static_cast<std::size_t>(width), 0.0);
  if (width == 0) return result;

  const auto mine = maximal_blocks(first, last, shards);
  std::vector<double> rows(mine.size() * static_cast<std::size_t>(width));
  for (std::size_t b = 0; b < mine.size(); ++b) {
    sum_block(mine[b], shards, partials, first, width,
              std::span<double>(rows).subspan(b * static_cast<std::size_t>(width), static_cast<std::size_t>(width)));
  }
  // Every rank knows all cut points, so the blocks of the others need not be sent.
  std::vector<ShardBlock> all;
  for (int r = 0; r < comm.size(); ++r) {
    const auto blocks = maximal_blocks(layout.first_shard(r), layout.last_shard(r), shards);
    all.insert(all.end(), blocks.begin(), blocks.end());
  }
  const Distribution columns = Distribution::even(width, comm.size());
  std::vector<double> outgoing(rows.size());
  std::vector<std::int64_t> begin{0};
  for (int r = 0; r < comm.size(); ++r) {
    std::int64_t at = begin.back();
    for (std::size_t b = 0; b < mine.size(); ++b) {
      std::copy_n(rows.begin() + static_cast<std::int64_t>(b) * width + columns.begin(r), columns.count(r),
                  outgoing.begin() + at);
      at += columns.count(r);
    }
    begin.push_back(at);
  }
  const auto incoming = comm.exchange(std::span<const double>(outgoing), std::span<const std::int64_t>(begin));
  const std::int64_t own_columns = columns.count(comm.rank());
  std::vector<double> own(static_cast<std::size_t>(own_columns));
  if (own_columns > 0) join_blocks(all, shards, incoming.data, own_columns, own);
  return comm.all_gather(std::span<const double>(own)).data;
}

double shard_sum(const Communicator& comm, const ShardLayout& layout, std::span<const double> partials) {
  return shard_sum(comm, layout, partials, 1).front();
}

}  // namespace cohort
