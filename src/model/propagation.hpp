// Results of rows of a graph from results of their neighbours: what hides the halo exchange behind the interior rows,
// and what spreads rows over threads, shard by shard. For encoders; nobody else knows of overlap, threads or shared
// rows.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/row_exchange.hpp"
#include "core/error.hpp"
#include "core/matrix.hpp"
#include "core/parallel.hpp"
#include "graph/shard_graph.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

/// Some owned rows: interior rows ascending and boundary rows ascending, each with its cuts by this rank's shards.
struct RowSelection {
  std::span<const LocalRow> interior;
  std::span<const std::int64_t> interior_begin;  ///< this rank's shards + 1: offsets into interior
  std::span<const LocalRow> boundary;
  std::span<const std::int64_t> boundary_begin;

  std::int64_t size() const { return std::ssize(interior) + std::ssize(boundary); }
};

/// A gradient that is zero outside some rows: those of `rows` (interior, then boundary), then those of `ghost`.
struct SparseGradient {
  RowSelection rows;
  std::span<const LocalRow> ghost;  ///< local rows of the ghosts that are not zero, ascending
  const ExchangePlan* halo;         ///< brings the ghosts' rows from their owners' `value`
  MatrixView value;                 ///< rows.size() + ghost.size() rows; those of the ghosts are written
};

/// Which rows are interior depends on the number of ranks: the result of a row does not care, a sum over rows would. So
/// a Work writes results of rows and sums nothing over them.
class Propagation {
 public:
  using Rows = std::span<const LocalRow>;
  /// Rows that a thread finishes at a time where what it finishes is used up at once: with what an optimiser reads
  /// beside, they fit a core's second-level cache many times over, and a kernel's start-up is spread over enough rows.
  static constexpr std::int64_t block_rows = 128;

  /// Between matrices of `columns` columns. `graph` must outlive it. Collective.
  Propagation(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, int threads,
              HaloReach reach = HaloReach::machine);

  const ShardGraph& graph() const { return graph_; }
  std::int64_t columns() const { return halo_.columns(); }
  int threads() const { return threads_; }
  const HaloLayout& halo() const { return halo_; }
  /// A matrix whose rows it can propagate; zeroed. Throws RunError where there is no memory. Collective.
  HaloMatrix matrix() const { return HaloMatrix(comm_, halo_); }
  RowSelection all_rows() const {
    return {graph_.interior, graph_.interior_begin, graph_.boundary, graph_.boundary_begin};
  }
  /// The graph's entries, with rows of matrix() for columns.
  SparseRows entries() const { return {graph_.adjacency.row_begin, column_, graph_.adjacency.value}; }
  /// Most entries that block_rows rows have together of those that in_blocks() puts into one block.
  std::int64_t most_entries_of_block() const;

  /// Calls work(rows, first) for all of `rows`, part by part, by several threads at a time; `first` is the place of the
  /// part's first row in the selection. Neighbours' rows of `in` may be read. They may read this rank's until it has
  /// started something else and finished it. Collective among neighbours.
  template <class Work>
  void over(HaloMatrix& in, const RowSelection& rows, Work work) {
    exchange_.start(halo_, in);
    overlapped(rows, work);
  }
  /// The same where no neighbour's row is read. Local.
  template <class Work>
  void over(const RowSelection& rows, Work work) {
    overlapped(rows, work);
  }

  /// Calls work(rows, thread) for all owned rows in blocks of at most block_rows, as over() does.
  template <class Work>
  void in_blocks(HaloMatrix& in, Work work) {
    exchange_.start(halo_, in);
    overlapped(all_rows(), blocks_of(work));
  }
  /// Where the ghosts' rows of a gradient are read; neighbours have done with what they read before once it returns.
  template <class Work>
  void in_blocks(const SparseGradient& in, Work work) {
    exchange_.start(*in.halo, in.value, in.value.row(in.rows.size()));
    exchange_.meet(halo_);
    overlapped(all_rows(), blocks_of(work));
  }
  template <class Work>
  void in_blocks(Work work) {
    overlapped(all_rows(), blocks_of(work));
  }

  std::int64_t bytes_sent() const { return exchange_.bytes_sent(); }  ///< by this rank, since construction
  double waiting_seconds() const { return waiting_; }                 ///< for rows of other ranks, since construction

 private:
  /// Calls work(shard) for each of `shards`; the main thread lets MPI make progress and notes what has come.
  template <class Work>
  void over_shards(std::int64_t shards, Work work) {
    std::atomic<std::int64_t> next{0};
    ParallelFailure failure;
#pragma omp parallel num_threads(threads_) if (threads_ > 1)
    {
      // The thread that called is thread 0, the only one that may call MPI.
      const bool main = omp_get_thread_num() == 0;
      failure.run([&] {
        for (auto shard = next++; shard < shards; shard = next++) {
          if (main && !arrived_.load(std::memory_order_relaxed)) {
            arrived_.store(exchange_.progress(), std::memory_order_release);
          }
          work(static_cast<std::size_t>(shard));
        }
      });
    }
    failure.rethrow();
  }
  /// A shard's interior rows, and its boundary as soon as the exchange has finished: the two share neighbours, which
  /// are in the cache then. What the exchange was too late for is done after it.
  template <class Work>
  void overlapped(const RowSelection& rows, Work work) {
    const auto shards = std::ssize(rows.interior_begin) - 1;
    COHORT_CHECK(std::ssize(rows.boundary_begin) == shards + 1 && std::ssize(boundary_done_) >= shards);
    const auto part = [&](std::span<const LocalRow> list, std::span<const std::int64_t> begin, std::size_t shard,
                          std::int64_t place) {
      const auto count = begin[shard + 1] - begin[shard];
      if (count > 0) work(list.subspan(begin[shard], count), place + begin[shard]);
    };
    const auto boundary = [&](std::size_t shard) {
      part(rows.boundary, rows.boundary_begin, shard, std::ssize(rows.interior));
    };
    arrived_ = exchange_.progress();
    std::ranges::fill(boundary_done_, char{0});
    over_shards(shards, [&](std::size_t shard) {
      part(rows.interior, rows.interior_begin, shard, 0);
      if (!arrived_.load(std::memory_order_acquire)) return;
      boundary(shard);
      boundary_done_[shard] = 1;
    });
    waiting_ += exchange_.finish();
    // Without waking threads for nothing: one rank has no boundary.
    const auto done = std::span(boundary_done_).first(static_cast<std::size_t>(shards));
    if (rows.boundary.empty() || std::ranges::find(done, char{0}) == done.end()) return;
    over_shards(shards, [&](std::size_t shard) {
      if (boundary_done_[shard] == 0) boundary(shard);
    });
  }
  template <class Work>
  static auto blocks_of(Work work) {
    return [work](Rows part, std::int64_t /*place*/) {
      for (std::size_t first = 0; first < part.size(); first += static_cast<std::size_t>(block_rows)) {
        work(part.subspan(first, std::min(static_cast<std::size_t>(block_rows), part.size() - first)),
             omp_get_thread_num());
      }
    };
  }

  Communicator comm_;
  const ShardGraph& graph_;
  HaloLayout halo_;
  int threads_;
  RowExchange exchange_;
  std::atomic<bool> arrived_{true};      ///< what the exchange at hand brings
  std::vector<char> boundary_done_;      ///< by shard
  std::vector<LocalRow> mapped_column_;  ///< where there are ghosts
  std::span<const LocalRow> column_;
  double waiting_ = 0;
};

}  // namespace cohort
