// The points that k-means works on: checked, scaled to length 1 where it is spherical, walked shard by shard on all
// threads, and some of them brought to every rank.
#pragma once

#include <omp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/kmeans.hpp"
#include "core/parallel.hpp"

namespace cohort {

/// This rank's points and what is known of all.
struct CheckedPoints {
  PointSet points;
  std::int64_t total = 0;  ///< points of all ranks
  double largest = 0;      ///< magnitude of a coordinate, of all ranks
};

/// Throws RunError where a coordinate is no finite number or its magnitude exceeds 2^50 (its square would leave
/// float32), naming the smallest such NodeId. Collective.
CheckedPoints checked_points(const Communicator& comm, const PointSet& points);

/// Rows scaled to length 1. A row of zeros has no direction and is left out.
struct UnitPoints {
  Matrix rows;
  std::vector<NodeId> id;
  std::vector<std::int64_t> shard_begin;
  std::vector<std::int64_t> source;  ///< of every row, among the original rows

  explicit UnitPoints(const PointSet& points);
  PointSet set(const ShardLayout& layout) const { return {rows.view(), id, shard_begin, &layout}; }
};

/// Calls body(thread, shard of this rank, first row, end row) for every shard, on `threads` threads. Rethrows what a
/// body threw, after the others. Local.
template <class Body>
void for_each_shard(const PointSet& points, int threads, Body body) {
  const auto shards = static_cast<std::int64_t>(points.shard_begin.size()) - 1;
  ParallelFailure failure;
#pragma omp parallel num_threads(threads)
  {
    const int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic)
    for (std::int64_t shard = 0; shard < shards; ++shard) {
      const auto s = static_cast<std::size_t>(shard);
      failure.run([&] { body(thread, shard, points.shard_begin[s], points.shard_begin[s + 1]); });
    }
  }
  failure.rethrow();
}

/// A row of this rank, and how far it is from where it belongs.
struct PickedRow {
  std::int64_t row = 0;
  double distance = 0;
};

/// Picked rows of all ranks.
struct GatheredRows {
  Matrix rows;
  std::vector<NodeId> id;
  std::vector<double> distance;
};

/// Every rank's picks on every rank, by descending distance, then by ascending id. Collective.
GatheredRows gather_rows(const Communicator& comm, const PointSet& points, std::span<const PickedRow> picked);

/// At most `count` points of largest positive squared distance to the centre that `nearest` gives them, no two of them
/// equal; ties to the smaller id. The same rows on every rank, fewer only where there are no more. Collective.
Matrix farthest_rows(const Communicator& comm, const PointSet& points, ConstMatrixView centres,
                     std::span<const std::int32_t> nearest, std::int64_t count);

}  // namespace cohort
