// A made-up population with planted segments, for the demo, for tests and for measuring: who belongs where is known.
// Every rank writes its own users' lines; the bytes do not depend on the number of ranks.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"

namespace cohort {

struct PopulationOptions {
  std::int64_t users = 1000;
  std::int64_t items = 500;
  std::int64_t interactions = 20000;  ///< different (user, item) pairs, exactly; at least one a user
  std::int64_t segments = 4;
  double noise = 0.1;       ///< share of interactions drawn from global popularity, whatever the user's segment
  std::int64_t social = 0;  ///< undirected friendships; the same share `noise` of them joins any two users
  std::uint64_t seed = 1;
};

/// Activity of users and popularity of items follow Zipf's law (exponents 0.5 and 0.7); segment sizes fall
/// geometrically from largest to smallest 5:1, of users and of the items each prefers. Every item is preferred by one
/// segment; a user's interactions that are not noise are drawn from the own segment's items by popularity, without
/// repeats, and from all items once those are used up.
///
/// Writes into `directory` (made if missing): interactions.tsv (user, item), social.tsv (source, target) if social > 0,
/// truth.tsv (user, segment), item_truth.tsv (item, the segment that prefers it), and config.toml, a configuration that
/// runs, with the true count, input files by relative paths and output in directory/run. Tables have a header line;
/// files appear under their names once all of them are complete; ids are u0, u1, ... and i0, i1, ..., scattered so that
/// their order says nothing. A rank holds the text of its own users, and tables of all items. Throws InputError:
/// options that contradict each other (says which), a directory that cannot be made or written into; RunError: a write
/// that fails. Collective.
void generate_population(const Communicator& comm, const PopulationOptions& options, const std::string& directory);

}  // namespace cohort
