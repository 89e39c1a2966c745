// The segment of an embedding: the nearest centroid, as k-means itself would say. For users who are folded in.
#pragma once

#include <cstdint>

#include "core/matrix.hpp"
#include "result/segments.hpp"

namespace cohort {

struct Placement {
  std::int32_t segment = -1;  ///< -1: nothing to place the user by
  float distance = 0;         ///< as KmeansResult::distance
  float margin = 0;           ///< as KmeansResult::margin; infinite where there is one segment
};

/// row: an embedding and its padding. Distances are float64 from the differences, ties go to the smaller segment.
/// spherical: half the squared distance of unit vectors, which is 1 - cosine; a row of zeros is at distance 1 from all.
/// Local.
Placement place(const float* row, ConstMatrixView centroid, bool spherical);

/// The same in one of nested levels, counted from 1; 0: the finest. The segment is that in which the nearest of the
/// finest centroids lies; distance and margin are those of cluster/levels.hpp above the finest level. Local.
Placement place_at(const float* row, const Segments& segments, std::int64_t level, bool spherical);

}  // namespace cohort
