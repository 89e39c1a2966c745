// What profiling segments keeps in memory beside the population, known beforehand. For predictions; local.
#pragma once

#include <cstdint>

namespace cohort {

/// Of a rank's block of users.
struct ProfileSizes {
  std::int64_t users = 0;
  std::int64_t items = 0;  ///< of its block
  std::int64_t all_items = 0;
  std::int64_t interactions = 0;
  std::int64_t held_out = 0;
  std::int64_t pairs = 0;  ///< at most so many different pairs of a segment and an item are among the interactions
};

/// profile_segments() at its peak, without attributes, which are theirs who read them.
std::int64_t profile_bytes(const ProfileSizes& sizes);

}  // namespace cohort
