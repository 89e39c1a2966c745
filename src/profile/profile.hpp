// The stage `profile`: what characterises each segment, for the report, for `recommend` and for a person.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/attributes.hpp"
#include "data/dataset.hpp"
#include "result/profiles.hpp"
#include "result/segments.hpp"

namespace cohort {

struct ProfileInput {
  const Dataset* dataset;                           ///< what the segments were learnt from, and what was held out
  const Segments* segments;                         ///< in the blocks of dataset->users
  const AttributeTable* item_attributes = nullptr;  ///< in the blocks of dataset->items; nullptr: none
  const AttributeTable* user_attributes = nullptr;
  bool spherical = false;     ///< how the segments were made: distances are 1 - cosine
  std::string whole = "all";  ///< what all users of the dataset are together, in words
};

/// Pseudo-interactions of the lift's prior, in interactions expected and seen.
inline constexpr double lift_prior = 5;
/// How many users and segments are listed for a segment.
inline constexpr std::int64_t listed_users = 5;
inline constexpr std::int64_t listed_neighbours = 3;

/// Lift of an item: users of the segment with it over those expected from its share of all users, shrunk towards 1:
/// (count + a) / (users * population_share + a) with a = lift_prior, the posterior mean of a rate with prior
/// Gamma(a, a) (DuMouchel 1999, "Bayesian data mining in large frequency tables"). The same with interactions for the
/// categories of items, and with the users whose attribute is known for the categories of users. Listed are the
/// options.top of largest lift above 1, ties to the smaller number, out of those that at least options.min_users of
/// the segment's users (of categories: interactions) have.
///
/// Exactly the listed items, and the listed categories of items, are tested for marking (segment/marking.hpp): they are
/// chosen without a look at what is held out, and what is held out was kept from the embedding. Without held-out
/// interactions nothing is tested. The bits depend on neither ranks nor threads. Collective.
Profiles profile_segments(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options);

}  // namespace cohort
