// Where segments and their users lie in the embedding: nearest segments, representative users, border users.
#include <algorithm>
#include <cmath>

#include "items/segment_top.hpp"
#include "profile/profile_parts.hpp"

namespace cohort {

namespace {

double centroid_distance(std::span<const float> a, std::span<const float> b, bool spherical) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const auto x = static_cast<double>(a[j]);
    const auto y = static_cast<double>(b[j]);
    sum += spherical ? x * y : (x - y) * (x - y);
  }
  return spherical ? 1 - sum : std::sqrt(sum);
}

SegmentList listed(const SegmentBest<RankedId>& best) {
  SegmentList list;
  list.row_begin = best.row_begin;
  for (const auto& entry : best.entries) {
    list.id.push_back(entry.id);
    list.value.push_back(entry.value);
  }
  return list;
}

}  // namespace

void profile_places(const Communicator& comm, const ProfileInput& input, Profiles& profiles) {
  const auto& segments = *input.segments;
  const auto count = std::ssize(segments.size);
  SegmentTop<RankedId> near(count, listed_neighbours);
  SegmentTop<RankedId> representative(count, listed_users);
  SegmentTop<RankedId> border(count, listed_users);
  comm.attempt([&] {
    // Each rank compares some centroids with all.
    const auto mine = Distribution::even(count, comm.size());
    for (auto s = mine.begin(comm.rank()); s < mine.end(comm.rank()); ++s) {
      for (std::int64_t other = 0; other < count; ++other) {
        if (other == s) continue;
        near.offer(
            s, {centroid_distance(segments.centroid.view().at(s), segments.centroid.view().at(other), input.spherical),
                other});
      }
    }
    const auto first = input.dataset->users.distribution.begin(comm.rank());
    for (std::size_t user = 0; user < segments.segment.size(); ++user) {
      const auto number = first + static_cast<std::int64_t>(user);
      representative.offer(segments.segment[user], {static_cast<double>(segments.distance[user]), number});
      // Where there is one segment alone there is no border.
      if (std::isfinite(segments.margin[user])) {
        border.offer(segments.segment[user], {static_cast<double>(segments.margin[user]), number});
      }
    }
  });
  profiles.nearest = listed(near.best(comm));
  profiles.representative = listed(representative.best(comm));
  profiles.border = listed(border.best(comm));
}

}  // namespace cohort
