// The last step of k-means: no segment stays empty, and segments are numbered by size.
#pragma once

#include <cstdint>

#include "cluster/exact_assignment.hpp"

namespace cohort {

/// That there are only `distinct` different points for options.count segments.
TooLittleError too_few_users(std::int64_t distinct, const KmeansOptions& options);

/// Assigns all points to `centres` by float64 distances, after moving centres without points to the farthest points
/// (adds how many to `reseeded`) and ordering them by size, largest first, ties by the least NodeId. Where
/// fewer points differ than there are centres, throws InputError or (options.or_fewer) leaves out the others.
/// Collective.
ExactAssignment settle(const Communicator& comm, const PointSet& points, const KmeansOptions& options, Matrix& centres,
                       std::int64_t& reseeded);

}  // namespace cohort
