// Points that belonged to groups before: centres that start from those groups, and points that stay in them. For
// segments that last from one run to the next.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/kmeans.hpp"

namespace cohort {

/// To which group each of this rank's points belonged.
struct FormerGroups {
  std::span<const std::int32_t> of;  ///< of every row; -1: to none
  std::int64_t count = 0;            ///< of groups, the same on all ranks
};

/// The mean of each group's points, scaled to length 1 if `spherical` (of points scaled so, those of zeros left out).
/// Groups without a mean that has a direction are left out; of more than `most` those with the most points remain, ties
/// to the smaller number. Throws RunError as kmeans does. The same on all ranks. Collective.
Matrix former_centres(const Communicator& comm, const PointSet& points, const FormerGroups& former, std::int64_t most,
                      bool spherical);

/// Puts points back where they belonged: a point whose `own` centre (of every row; -1: none) is not the one it was
/// assigned to moves only where that one is nearer than (1 - stickiness) times the distance to its own. Distance and
/// margin follow, a margin below 0 saying by how much another centre is nearer. A segment that nobody would be left in
/// takes in all who are nearest to it. Collective.
void keep_former(const Communicator& comm, const PointSet& points, std::span<const std::int32_t> own, bool spherical,
                 double stickiness, KmeansResult& result);

}  // namespace cohort
