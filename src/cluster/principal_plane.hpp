// Points projected on the plane of their largest variance, for a map of the users. The same bits for every number of
// ranks and threads. For the stage `segment`.
#pragma once

#include <array>
#include <vector>

#include "cluster/kmeans.hpp"
#include "comm/communicator.hpp"

namespace cohort {

/// Where a point lies along the first and the second principal component, from the mean of all points.
using PlanePoint = std::array<float, 2>;

/// Of every row of this rank. Principal components (Pearson 1901): eigenvectors of the d x d covariance, in float64,
/// of largest eigenvalue first; an eigenvector's element of largest magnitude is positive, the first of equals. d = 1:
/// the second is 0. Throws RunError where the eigenvectors cannot be found. Coordinates must be finite and within 2^50.
/// Collective.
std::vector<PlanePoint> principal_plane(const Communicator& comm, const PointSet& points);

}  // namespace cohort
