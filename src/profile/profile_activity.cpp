// How active the users of a segment are, when they were, and how closely they are befriended.
#include <algorithm>
#include <limits>

#include "comm/index_plan.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "profile/activity_share.hpp"
#include "profile/profile_parts.hpp"
#include "profile/selection.hpp"

namespace cohort {

namespace {

void profile_times(const Communicator& comm, const PairTable& interactions, std::span<const std::int32_t> segment,
                   std::int64_t segments, Profiles& profiles) {
  if (!comm.any(!interactions.time.empty())) return;
  std::vector<double> first(segment.size(), 0.0);
  std::vector<double> last(segment.size(), 0.0);
  std::vector<std::int32_t> timed(segment.begin(), segment.end());
  for (std::size_t user = 0; user < segment.size(); ++user) {
    const auto begin = interactions.row_begin[user];
    const auto end = interactions.row_begin[user + 1];
    if (begin == end) {
      timed[user] = -1;
      continue;
    }
    const auto [low, high] = std::minmax_element(interactions.time.begin() + begin, interactions.time.begin() + end);
    first[user] = *low;
    last[user] = *high;
  }
  const auto users = count_by_segment(comm, timed, segments);
  std::vector<std::int64_t> lowest;
  std::vector<std::int64_t> highest;
  for (const auto count : users) {
    lowest.push_back(count > 0 ? 0 : -1);
    highest.push_back(count - 1);
  }
  profiles.first_time = select_by_segment(comm, first, timed, lowest);
  profiles.last_time = select_by_segment(comm, last, timed, highest);
  profiles.median_last_time = median_by_segment(comm, last, timed, segments);
}

void profile_friends(const Communicator& comm, const Dataset& dataset, const Segments& segments, Profiles& profiles) {
  const auto& social = dataset.social;
  if (!comm.any(social.size() > 0)) return;
  Distinct friends;
  comm.attempt([&] { friends = distinct_of(social.other); });
  const IndexPlan plan(comm, dataset.users.distribution, friends.values);
  const auto friend_segment = plan.fetch(std::span<const std::int32_t>(segments.segment));
  // Every edge is seen from both its ends.
  std::vector<std::int64_t> inside(segments.size.size(), 0);
  std::vector<std::int64_t> outside(segments.size.size(), 0);
  for (std::size_t user = 0; user < segments.segment.size(); ++user) {
    const auto own = segments.segment[user];
    for (const auto i : places_of(social.row_begin, user)) {
      ++(friend_segment[friends.place[i]] == own ? inside : outside)[own];
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(inside));
  comm.sum_in_place(std::span<std::int64_t>(outside));
  const auto users = static_cast<double>(dataset.users.total());
  const auto share = [](std::int64_t count, double pairs) {
    return pairs > 0 ? static_cast<double>(count) / pairs : 0;
  };
  for (std::size_t s = 0; s < inside.size(); ++s) {
    const auto size = static_cast<double>(segments.size[s]);
    profiles.social_inside.push_back(share(inside[s], size * (size - 1)));
    profiles.social_outside.push_back(share(outside[s], size * (users - size)));
  }
}

}  // namespace

void profile_activity(const Communicator& comm, const ProfileInput& input, Profiles& profiles) {
  const auto& interactions = input.dataset->interactions;
  const auto& segments = *input.segments;
  const auto count = std::ssize(segments.size);
  std::vector<double> activity;
  profiles.interactions.assign(count, 0);
  for (std::size_t user = 0; user < segments.segment.size(); ++user) {
    const auto own = places_of(interactions.row_begin, user).size();
    activity.push_back(static_cast<double>(own));
    profiles.interactions[segments.segment[user]] += own;
  }
  comm.sum_in_place(std::span<std::int64_t>(profiles.interactions));
  for (std::size_t s = 0; s < segments.size.size(); ++s) {
    profiles.mean_interactions.push_back(static_cast<double>(profiles.interactions[s]) /
                                         static_cast<double>(std::max<std::int64_t>(1, segments.size[s])));
  }
  profiles.median_interactions = median_by_segment(comm, activity, segments.segment, count);
  profiles.activity_share = {activity_share(comm, interactions.row_begin, segments.segment, count)};
  profile_times(comm, interactions, segments.segment, count, profiles);
  profile_friends(comm, *input.dataset, segments, profiles);
}

}  // namespace cohort
