// Clusterings that were found elsewhere, in the form that k-means returns. For segments that are trained.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/kmeans.hpp"

namespace cohort {

/// Every point to the nearest of `centres` (k x d, the same on all ranks), without moving them, but for those without a
/// point, which go to the farthest points; segments are numbered by size, as k-means does it, and the sum of squared
/// distances is the one iteration's inertia. Throws as kmeans() does, or_fewer as there. Collective.
KmeansResult assigned_to_centres(const Communicator& comm, const PointSet& points, Matrix centres, bool spherical,
                                 bool or_fewer = false);

/// `cluster` (0..count-1) of every point, as it is: centroids are the means, numbers go by size, ties by the smallest
/// id, and clusters without a point are left out. The margin is negative where another centroid is nearer. Throws
/// RunError where a coordinate is no finite number. Collective.
KmeansResult given_clusters(const Communicator& comm, const PointSet& points, std::span<const std::int32_t> cluster,
                            std::int64_t count);

}  // namespace cohort
