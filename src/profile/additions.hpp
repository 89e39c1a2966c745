// What nested segments add to those above: each profiled among the users of the segment that it lies in, so that what
// all of these share is no news.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "profile/profile.hpp"
#include "result/levels.hpp"

namespace cohort {

/// Two levels of nested segments, one right above the other.
struct LevelPair {
  std::span<const std::int32_t> segment;  ///< of each of this rank's users, at the lower level
  std::span<const std::int64_t> size;     ///< k: users of each, at the lower level
  std::span<const std::int32_t> parent;   ///< k: the segment above that each lies in
  std::span<const std::int64_t> called;   ///< by segment above: its number; empty: as its row
  std::int64_t level = 0;                 ///< of the upper one, as users count it, for the words

  std::int64_t number_of_parent(std::int64_t row) const { return called.empty() ? row : called[row]; }
};

/// As profile_segments does, with the users of the segment above for the whole: shares, lifts and tests are against
/// them. The children of one segment are a family of tests (of items, and of categories). A segment that is all of the
/// one above has no rows. input.segments is not looked at. Collective: the profiles of some one after the other, as
/// many as the upper level has segments.
Additions profile_additions(const Communicator& comm, const ProfileInput& input, const LevelPair& levels,
                            const ProfileConfig& options);

}  // namespace cohort
