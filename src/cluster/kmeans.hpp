// Distributed k-means over users that stand in shards: k-means|| seeding, Lloyd's iterations with the assignment as a
// blocked matrix product, exact sums. The same bits for every number of ranks and threads. For the stage `segment`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// This rank's points, shard by shard.
struct PointSet {
  ConstMatrixView rows;                       ///< points x d
  std::span<const NodeId> id;                 ///< of every row; unique over all ranks; what random numbers are keyed by
  std::span<const std::int64_t> shard_begin;  ///< this rank's shards + 1: offsets into the rows
  const ShardLayout* layout;
};

struct KmeansOptions {
  std::int64_t count = 20;  ///< k
  /// Cosine instead of Euclidean distance: points and centroids are scaled to length 1 (in float32). A point of zeros
  /// has no direction: it moves no centroid and ends in segment 0 at distance 1.
  bool spherical = false;
  std::int64_t restarts = 4;          ///< from other starting centres among the same candidates
  std::int64_t max_iterations = 100;  ///< assignments of all points, in each restart
  double tolerance = 1e-4;            ///< stop when inertia falls by less than this share in an iteration
  std::uint64_t seed = 42;
  const char* asked_by = "segment.count is";  ///< what asks for so many, before their number, for messages
  /// Centres to start from, at most `count`, in the scale of the points (if spherical, of length 1); those that lack
  /// are drawn beside them. There is then one run, whatever `restarts` says. The same on all ranks.
  ConstMatrixView start{};
  bool or_fewer = false;  ///< where fewer points differ: as many segments as differ, not an error
};

struct KmeansResult {
  std::vector<std::int32_t> segment;  ///< of every row: the nearest centroid, ties to the smaller number
  std::vector<float> distance;        ///< to it: Euclidean, or 1 - cosine if spherical; from float64, not the product
  std::vector<float> margin;          ///< distance to the second nearest centroid minus to the nearest; k = 1: infinity
  Matrix centroid;                    ///< k x d, the same on all ranks
  std::vector<std::int64_t> size;     ///< points of each segment: descending, ties by the smallest id in the segment
  std::vector<double> inertia;  ///< of each iteration of the restart that was kept: sum of squared Euclidean distances
  std::int64_t restart = 0;     ///< the one that was kept: of lowest inertia, the first of equals
  std::int64_t reseeded = 0;    ///< empty clusters that were given the farthest point, in that restart
};

/// Seeding: Bahmani et al., "Scalable k-means++", VLDB 2012, algorithm 2, oversampling 2k in 5 rounds, then weighted
/// k-means++ over the candidates. Iterations: Lloyd 1982. Sums are in fixed point (int64, scale 2^floor(62 - log2 N -
/// log2 max|x|), at most 2^50 / max|x|), so exact in any order. Every segment has a point. The iterations
/// assign by float32 scores (cluster/centres.hpp); the segments returned are nearest in float64, so where points differ
/// by less than those scores resolve, as far from the origin, a centroid need not be the mean of its segment. Throws
/// InputError where there are fewer different points than count (says how many there are), RunError where a coordinate
/// is no finite number or beyond 2^50. Collective.
KmeansResult kmeans(const Communicator& comm, const PointSet& points, const KmeansOptions& options);

}  // namespace cohort
