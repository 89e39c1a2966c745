// The users of a made-up population: the number of a user's id says its segment and its activity by random
// permutations, so that any rank knows any user. Internal to generate/.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "generate/segment_sizes.hpp"

namespace cohort {

class UserRoll {
 public:
  UserRoll(std::int64_t users, std::int64_t segments, std::uint64_t seed)
      : segment_begin_(segment_offsets(users, segments)),
        place_(static_cast<std::uint64_t>(users), seed, Purpose::generate_users, 0),
        activity_rank_(static_cast<std::uint64_t>(users), seed, Purpose::generate_users, 1) {}

  std::int64_t users() const { return segment_begin_.back(); }
  /// Users stand in places, segment by segment: segment s has [segment_begin()[s], segment_begin()[s + 1]).
  const std::vector<std::int64_t>& segment_begin() const { return segment_begin_; }
  std::int64_t user_at(std::int64_t place) const {
    return static_cast<std::int64_t>(place_.inverse(static_cast<std::uint64_t>(place)));
  }
  std::int64_t segment(std::int64_t user) const {
    return segment_at(segment_begin_, static_cast<std::int64_t>(place_(static_cast<std::uint64_t>(user))));
  }
  /// 0: the most active.
  std::int64_t activity_rank(std::int64_t user) const {
    return static_cast<std::int64_t>(activity_rank_(static_cast<std::uint64_t>(user)));
  }

 private:
  std::vector<std::int64_t> segment_begin_;
  RandomPermutation place_;
  RandomPermutation activity_rank_;
};

}  // namespace cohort
