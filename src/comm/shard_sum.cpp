#include "comm/shard_sum.hpp"

#include <algorithm>
#include <limits>

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

std::vector<double> ShardSum::of(std::span<const double> partials, std::int64_t width) const {
  COHORT_CHECK(static_cast<std::int64_t>(partials.size()) == (last_ - first_) * width);
  std::vector<double> result(width, 0.0);
  if (width == 0) return result;
  const auto rank = static_cast<std::size_t>(comm_.rank());
  const auto blocks_of = [&](int r) { return places_of(block_begin_, r).size(); };
  const auto mine = std::span(blocks_).subspan(block_begin_[rank], blocks_of(comm_.rank()));
  std::vector<double> rows(mine.size() * static_cast<std::size_t>(width));
  for (std::size_t b = 0; b < mine.size(); ++b) {
    sum_block(mine[b], shards_, partials, first_, width,
              std::span<double>(rows).subspan(b * static_cast<std::size_t>(width), width));
  }

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
