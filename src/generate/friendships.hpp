// Whom the users of a made-up population know. Internal to generate/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "generate/user_roll.hpp"

namespace cohort {

/// Friendships that make_friendships can find: half of the pairs of users of one segment; of all users if noise is 1.
/// Local.
std::int64_t most_friendships(const UserRoll& roll, double noise);

/// Lines "user user" of this rank's part of `count` different friendships, by the numbers of the two users, in pieces.
/// They are the first `count` different pairs of one sequence of draws, of which a share `noise` joins any two users
/// and the others two of one segment; so they do not depend on the number of ranks. count <= most_friendships.
/// Collective.
std::vector<std::string> friendship_lines(const Communicator& comm, const UserRoll& roll, std::int64_t count,
                                          double noise, std::uint64_t seed);

}  // namespace cohort
