// Parts put together into fewer groups, so that the inertia of what they hold grows least. For nested segments.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/fixed_sums.hpp"

namespace cohort {

/// Groups that parts were in before, which grouping starts from, so that they last.
struct FormerGrouping {
  std::vector<std::int32_t> of;  ///< of each part, some name of 0 or above; -1: it was in none. Empty: none was
  /// A part leaves its group only where the inertia that it adds to another is below (1 - stickiness)^2 of what it adds
  /// to its own; 0: wherever inertia falls, 1: never.
  double stickiness = 0;
};

/// The group, 0..count-1, of each part, which has rows: so that the inertia is about the least (levels.hpp).
/// `spherical`: the inertia of a group is that of unit points around their direction, count - |sum|, else count *
/// variance. 1 <= count <= parts; no group is empty. former: parts start together that were together; those that were
/// in no group join one; two former groups are put together only where there are more than `count`, and where there are
/// fewer, the part whose leaving takes most inertia away makes one of its own. Local.
std::vector<std::int32_t> group_parts(const GroupedSums& parts, std::int64_t count, bool spherical,
                                      const FormerGrouping& former = {});

}  // namespace cohort
