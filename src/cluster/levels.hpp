// Segments grouped into fewer and larger ones, level by level, so that each level's segments lie inside those of the
// level above: for segment.levels. The same bits for every number of ranks and threads.
//
// The finest level is plain k-means, so that a user's segment at every level follows from the nearest centroid, also
// of a user who is placed later. Upwards, the segments of a level are put together so that the inertia of the users
// (squared distances to the mean of the group; of unit length if spherical) grows least: two at a time, as Ward does
// (J. Am. Stat. Assoc. 1963), down to the number asked for, then by moving single segments between groups while the
// inertia falls (as Hartigan does with points, 1975). A group's inertia follows from the sum and the number of its
// users alone, so none of this looks at users again. Downwards, k-means inside each segment, costs as much and gives
// the finest level, which all else is made of, more inertia (docs/results.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/grouping.hpp"
#include "cluster/kmeans.hpp"

namespace cohort {

/// A level above the finest; the same on all ranks.
struct NestedLevel {
  std::vector<std::int32_t> of_finest;  ///< of each of the finest segments: the segment of this level that it lies in
  Matrix centroid;                      ///< segments x d: the mean of its users, of length 1 if spherical
  std::vector<std::int64_t> size;       ///< users: descending, ties by the smallest id in the segment
};

/// counts: numbers of segments of the levels above the finest, ascending, the last at most that of `found`, the first
/// at least 1. found: of these points. former: of each level what it starts from, the parts being the finest segments,
/// or nothing. Returns one level for each of them, the coarsest first. Memory: the sums of the finest segments, k x d.
/// Time beside k-means: k^2 d. Collective.
std::vector<NestedLevel> nest_segments(const Communicator& comm, const PointSet& points, bool spherical,
                                       const KmeansResult& found, std::span<const std::int64_t> counts,
                                       std::span<const FormerGrouping> former = {});

/// Where a user of one of the finest segments stands at a level above.
struct PlaceInLevel {
  float distance = 0;  ///< to the centroid of its segment there, as KmeansResult::distance
  float margin = 0;    ///< distance to the nearest of the finest centroids that lies in another segment of the level,
                       ///< minus that to the nearest of all; infinite where the level is one segment
};

/// row: an embedding and its padding; finest: centroids; of_finest, centroid: of the level. A row of zeros is at
/// distance 1 and margin 0 if spherical. Local.
PlaceInLevel place_in_level(const float* row, ConstMatrixView finest, std::span<const std::int32_t> of_finest,
                            ConstMatrixView centroid, bool spherical);

}  // namespace cohort
