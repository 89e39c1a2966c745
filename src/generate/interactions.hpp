// What the users of a made-up population did. Internal to generate/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generate/activity.hpp"
#include "generate/item_catalogue.hpp"
#include "generate/user_roll.hpp"

namespace cohort {

/// Lines "user item" of this rank's users, in pieces, by the numbers of user and item. A user's items are drawn without
/// replacement: a share `noise` of them (rounded up or down at random) by popularity among all items, the others by
/// popularity among those that the user's segment prefers, as long as there are any. A user's draws depend on the seed
/// and the user alone. Local.
std::vector<std::string> interaction_lines(const UserRoll& roll, const ItemCatalogue& catalogue,
                                           const Activity& activity, double noise, std::uint64_t seed,
                                           std::int64_t first_user, std::int64_t last_user);

/// "u123", "i45", ... at the end of `text`. Local.
void append_id(std::string& text, char kind, std::int64_t number);

}  // namespace cohort
