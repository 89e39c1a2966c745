// How many interactions each user has. Internal to generate/.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"

namespace cohort {

/// Zipf's law over users by activity, exponent 1/2: the user of rank r (from 0) has in proportion to (r + 1)^-1/2, at
/// least 1 and at most `items`, all together exactly `interactions`. With this exponent the least active users have
/// half of the mean, so that their segment can still be told.
class Activity {
 public:
  /// users <= interactions <= users * items. Collective.
  Activity(const Communicator& comm, std::int64_t users, std::int64_t items, std::int64_t interactions);

  /// Interactions of the user of activity rank `rank`, 0 <= rank < users. Local.
  std::int64_t degree(std::int64_t rank) const;

 private:
  std::int64_t plain_degree(std::int64_t rank) const;

  std::int64_t items_;
  double scale_ = 0;              // degree of rank 0, before rounding and limits
  std::int64_t raised_from_ = 0;  // ranks [raised_from_, raised_to_) have one more: what rounding left over
  std::int64_t raised_to_ = 0;
};

}  // namespace cohort
