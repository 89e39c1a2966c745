// The parts of a profile, each filling its own fields of Profiles. Internal to the profile of segments; all collective.
#pragma once

#include "profile/profile.hpp"
#include "profile/tally.hpp"

namespace cohort {

/// What counts towards a lift.
struct LiftBase {
  std::vector<std::int64_t> of_segment;  ///< users or interactions of every segment
  std::int64_t total = 0;                ///< of all
};

struct LiftRow {
  std::int64_t feature = 0;
  std::int64_t count = 0;
  std::int64_t population = 0;
};

/// The features of largest lift of every segment. row_begin: k + 1.
struct LiftRows {
  std::vector<std::int64_t> row_begin;
  std::vector<LiftRow> rows;
};
LiftRows highest_lift(const Communicator& comm, const SegmentTally& tally, const LiftBase& base,
                      const ProfileConfig& options);

/// Appends the rows of one segment to a table's counts, shares and lifts; row_begin is left alone. Local.
void add_lift_rows(const LiftRows& from, const LiftBase& base, std::int64_t segment, MarkTable& table);

/// interactions, their mean and median, activity_share, times, and density of social edges.
void profile_activity(const Communicator& comm, const ProfileInput& input, Profiles& profiles);

/// nearest, representative, border.
void profile_places(const Communicator& comm, const ProfileInput& input, Profiles& profiles);

/// items, categories, distinct_items, tested.
void profile_tastes(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                    Profiles& profiles);

/// numeric, user_categories.
void profile_user_attributes(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                             Profiles& profiles);

/// description, from all the other fields. Local.
void describe_segments(const ProfileInput& input, Profiles& profiles);

}  // namespace cohort
