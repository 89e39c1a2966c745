// The assignment that is written down: by float64 distances, recomputed from the difference of point and centre.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/checked_points.hpp"

namespace cohort {

struct ExactAssignment {
  std::vector<std::int32_t> nearest;   ///< of every row of this rank; of equally near centres the one of smaller number
  std::vector<double> distance;        ///< to it, squared
  std::vector<double> second;          ///< to the second nearest, squared; infinity where there is one centre
  std::vector<std::int64_t> size;      ///< points of each centre, of all ranks
  std::vector<std::int64_t> first_id;  ///< the least NodeId of each centre, of all ranks
  double inertia = 0;                  ///< sum of `distance` over all points
};

/// centres: k x d, the same on all ranks. Collective.
ExactAssignment assign_exactly(const Communicator& comm, const PointSet& points, ConstMatrixView centres);

}  // namespace cohort
