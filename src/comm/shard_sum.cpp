#include "comm/shard_sum.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/parallel.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// What MPI_Alltoallv and MPI_Allgatherv want of the numbers that are sent to, or come from, each rank.
struct Counts {
  std::vector<int> count;
  std::vector<int> begin;

  template <class CountOf>
  Counts(int ranks, CountOf count_of) {
    std::int64_t at = 0;
    for (int r = 0; r < ranks; ++r) {
      const std::int64_t of_rank = count_of(r);
      count.push_back(static_cast<int>(of_rank));
      begin.push_back(static_cast<int>(at));
      at += of_rank;
    }
    COHORT_CHECK(at <= std::numeric_limits<int>::max());
  }
};

void add_to(std::span<double> sum, std::span<const double> other) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += other[i];
}

// What a thread needs to fold shards into the tree.
struct ShardFold {
  std::int32_t shards;
  std::int32_t first;
  std::size_t columns;
  const ShardSum::AddShard& add;
  std::vector<std::vector<double>> right;  ///< by height: the sum of the right half at hand

  void run(ShardBlock block, std::span<double> result) {
    if (block.height == 0) {
      std::ranges::fill(result, 0.0);
      add(block.index - first, result);
      return;
    }
    run({block.height - 1, block.index * 2}, result);
    const ShardBlock half{block.height - 1, block.index * 2 + 1};
    if ((std::int64_t{half.index} << half.height) >= shards) return;
    const auto height = static_cast<std::size_t>(block.height);
    if (right.size() <= height) right.resize(height + 1);
    right[height].resize(columns);
    const std::span<double> other(right[height]);
    run(half, other);
    add_to(result, other);
  }
};

// Sums units of height `low` (or lower blocks) up to `block`; takes them from `next` on.
std::vector<double> join_units(ShardBlock block, std::int32_t low, std::int32_t shards,
                               std::vector<std::vector<double>>::iterator& next) {
  if (block.height <= low) return std::move(*next++);
  auto sum = join_units({block.height - 1, block.index * 2}, low, shards, next);
  const ShardBlock half{block.height - 1, block.index * 2 + 1};
  if ((std::int64_t{half.index} << half.height) < shards) add_to(sum, join_units(half, low, shards, next));
  return sum;
}

}  // namespace

ShardSum::ShardSum(const Communicator& comm, const ShardLayout& layout)
    : comm_(comm),
      shards_(layout.shards()),
      first_(layout.first_shard(comm.rank())),
      last_(layout.last_shard(comm.rank())),
      block_begin_{0} {
  for (int r = 0; r < comm.size(); ++r) {
    const auto blocks = maximal_blocks(layout.first_shard(r), layout.last_shard(r), shards_);
    blocks_.insert(blocks_.end(), blocks.begin(), blocks.end());
    block_begin_.push_back(std::ssize(blocks_));
  }
}

std::span<const ShardBlock> ShardSum::own_blocks() const {
  const auto rank = static_cast<std::size_t>(comm_.rank());
  return std::span(blocks_).subspan(block_begin_[rank], places_of(block_begin_, rank).size());
}

std::vector<double> ShardSum::of(std::span<const double> partials, std::int64_t width) const {
  COHORT_CHECK(static_cast<std::int64_t>(partials.size()) == (last_ - first_) * width);
  const auto mine = own_blocks();
  const auto columns = static_cast<std::size_t>(width);
  std::vector<double> rows(mine.size() * columns);
  for (std::size_t b = 0; width > 0 && b < mine.size(); ++b) {
    sum_block(mine[b], shards_, partials, first_, width, std::span<double>(rows).subspan(b * columns, columns));
  }
  return join(rows, width);
}

std::vector<double> ShardSum::fold(std::int64_t width, int threads, const AddShard& add) const {
  const auto mine = own_blocks();
  const auto columns = static_cast<std::size_t>(width);
  std::vector<double> rows;
  comm_.attempt([&] {
    // Units of work: subtrees low enough that each thread has some. Where they end changes no sum.
    std::int32_t low = 0;
    while ((last_ - first_) >> (low + 1) >= 4 * threads) ++low;
    std::vector<ShardBlock> units;
    for (const auto& block : mine) {
      const std::int32_t down = std::max(block.height - low, 0);
      const std::int32_t height = block.height - down;
      for (std::int32_t i = block.index << down; i < (block.index + 1) << down; ++i) {
        if (std::int64_t{i} << height < shards_) units.push_back({height, i});
      }
    }
    std::vector<std::vector<double>> sums(units.size());
    std::vector<ShardFold> folds(threads, ShardFold{shards_, first_, columns, add, {}});
    for_each_in_parallel(std::ssize(units), threads, [&](std::int64_t unit) {
      auto& sum = sums[unit];
      sum.resize(columns);
      folds[omp_get_thread_num()].run(units[unit], sum);
    });
    auto next = sums.begin();
    for (const auto& block : mine) {
      const auto sum = join_units(block, low, shards_, next);
      rows.insert(rows.end(), sum.begin(), sum.end());
    }
  });
  return join(rows, width);
}

std::vector<double> ShardSum::join(std::span<const double> rows, std::int64_t width) const {
  std::vector<double> result(width, 0.0);
  if (width == 0) return result;
  const auto mine = own_blocks();
  const auto blocks_of = [&](int r) { return places_of(block_begin_, r).size(); };

  // Every rank gets its columns of all blocks, and tells the others what became of them.
  const Distribution columns = Distribution::even(width, comm_.size());
  const std::int64_t own_columns = columns.count(comm_.rank());
  const Counts send(comm_.size(), [&](int r) { return std::ssize(mine) * columns.count(r); });
  const Counts receive(comm_.size(), [&](int r) { return blocks_of(r) * own_columns; });
  std::vector<double> outgoing(rows.size());
  for (int r = 0; r < comm_.size(); ++r) {
    for (std::size_t b = 0; b < mine.size(); ++b) {
      std::copy_n(rows.begin() + static_cast<std::int64_t>(b) * width + columns.begin(r), columns.count(r),
                  outgoing.begin() + send.begin[r] + static_cast<std::int64_t>(b) * columns.count(r));
    }
  }
  std::vector<double> incoming(blocks_.size() * static_cast<std::size_t>(own_columns));
  check_mpi(MPI_Alltoallv(outgoing.data(), send.count.data(), send.begin.data(), MPI_DOUBLE, incoming.data(),
                          receive.count.data(), receive.begin.data(), MPI_DOUBLE, comm_.native()),
            "MPI_Alltoallv");
  std::vector<double> own(own_columns);
  if (own_columns > 0) join_blocks(blocks_, shards_, incoming, own_columns, own);
  const Counts gather(comm_.size(), [&](int r) { return columns.count(r); });
  check_mpi(MPI_Allgatherv(own.data(), static_cast<int>(own_columns), MPI_DOUBLE, result.data(), gather.count.data(),
                           gather.begin.data(), MPI_DOUBLE, comm_.native()),
            "MPI_Allgatherv");
  return result;
}

}  // namespace cohort
