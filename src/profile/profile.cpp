#include "profile/profile.hpp"

#include "core/ragged.hpp"
#include "items/segment_top.hpp"
#include "profile/profile_parts.hpp"

namespace cohort {

namespace {

struct LiftCandidate {
  double lift = 0;
  LiftRow row;
  friend bool operator<(const LiftCandidate& a, const LiftCandidate& b) {
    return a.lift != b.lift ? a.lift > b.lift : a.row.feature < b.row.feature;
  }
};

double smoothed_lift(std::int64_t count, std::int64_t population, std::int64_t segment, std::int64_t total) {
  const double expected = static_cast<double>(segment) * (static_cast<double>(population) / static_cast<double>(total));
  return (static_cast<double>(count) + lift_prior) / (expected + lift_prior);
}

}  // namespace

LiftRows highest_lift(const Communicator& comm, const SegmentTally& tally, const LiftBase& base,
                      const ProfileConfig& options) {
  SegmentTop<LiftCandidate> top(std::ssize(base.of_segment), options.top);
  comm.attempt([&] {
    for (std::int64_t row = 0; row < tally.rows(); ++row) {
      const auto feature = tally.features.begin(comm.rank()) + row;
      const auto population = tally.total(row);
      for (const auto i : places_of(tally.row_begin, row)) {
        if (tally.count[i] < options.min_users) continue;
        const auto segment = tally.segment[i];
        const auto lift = smoothed_lift(tally.count[i], population, base.of_segment[segment], base.total);
        if (lift > 1) top.offer(segment, {lift, {feature, tally.count[i], population}});
      }
    }
  });
  auto best = top.best(comm);
  LiftRows result;
  result.row_begin = std::move(best.row_begin);
  for (const auto& entry : best.entries) result.rows.push_back(entry.row);
  return result;
}

void add_lift_rows(const LiftRows& from, const LiftBase& base, std::int64_t segment, MarkTable& table) {
  const auto size = base.of_segment[segment];
  for (const auto i : places_of(from.row_begin, segment)) {
    const auto& row = from.rows[i];
    table.count.push_back(row.count);
    table.population.push_back(row.population);
    table.share.push_back(static_cast<double>(row.count) / static_cast<double>(size));
    table.population_share.push_back(static_cast<double>(row.population) / static_cast<double>(base.total));
    table.lift.push_back(smoothed_lift(row.count, row.population, size, base.total));
  }
}

Profiles profile_segments(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options) {
  const auto& dataset = *input.dataset;
  const auto users = std::ssize(input.segments->segment);
  COHORT_CHECK(users == dataset.interactions.rows() && users == dataset.users.block_size(),
               "segments and dataset are not of the same users");
  Profiles profiles;
  profile_activity(comm, input, profiles);
  profile_places(comm, input, profiles);
  profile_tastes(comm, input, options, profiles);
  profile_user_attributes(comm, input, options, profiles);
  profiles.false_discovery_rate = {options.false_discovery_rate};
  describe_segments(input, profiles);
  return profiles;
}

}  // namespace cohort
