#include "profile/profile_memory.hpp"

#include <algorithm>

namespace cohort {

std::int64_t profile_bytes(const ProfileSizes& sizes) {
  // How active each user is, and when first and last.
  const auto activity = 32 * sizes.users;
  // A key for each interaction as it is sent and as it came; then by item, beside the counts by segment.
  const auto tally = 12 * sizes.pairs + 8 * sizes.items;
  const auto counting = std::max(16 * sizes.interactions, 12 * sizes.interactions + tally);
  // The null model's list of all that is held out or not, the place of each among the different items, and these.
  const auto listed = sizes.interactions + sizes.held_out;
  const auto different = std::min(listed, sizes.all_items);
  const auto held_out = sizes.held_out > 0 ? tally + 12 * listed + 40 * different + 24 * sizes.users : 0;
  return std::max({activity, counting, held_out});
}

}  // namespace cohort
