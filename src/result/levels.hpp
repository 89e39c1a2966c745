// Nested segments (segment.levels): the levels above the finest one, whose segments are the result's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/matrix.hpp"
#include "result/profiles.hpp"
#include "result/recommendations.hpp"

namespace cohort {

/// How segments follow those of segment.previous, at one level. The same on all ranks.
struct Succession {
  std::int64_t largest_number = 0;     ///< that any segment ever had, here or in a result before
  std::vector<std::int64_t> appeared;  ///< numbers of segments that no previous one became, ascending
  std::vector<std::int64_t> vanished;  ///< numbers of previous segments that became none of these, ascending
  std::int64_t common = 0;             ///< users of both
  std::int64_t stayed = 0;             ///< of these, in the segment of the same number
};

/// What the segment of that row is called.
inline std::int64_t number_of(const std::vector<std::int64_t>& number, std::int64_t row) {
  return number.empty() ? row : number[row];
}

/// The same on all ranks, all of it. k: segments of this level.
struct SegmentLevel {
  std::vector<std::int32_t> of_finest;   ///< of each of the finest segments: the segment of this level that it lies in
  Matrix centroid;                       ///< k x d
  std::vector<std::int64_t> size;        ///< k: users; descending where there are no numbers
  std::vector<std::int64_t> number;      ///< k, ascending: what each is called; empty: as its row
  std::optional<Succession> succession;  ///< where they follow others; there are numbers then
  std::optional<Profiles> profiles;      ///< once `profile` has run
  std::optional<SegmentLists> recommended;  ///< once `recommend` has run
};

/// What the segments of a level have more often than all users of the segment above: profiles of each among its
/// parent's users alone. k segments.
struct Additions {
  MarkTable items;                       ///< population: of the parent's users
  MarkTable categories;                  ///< of items
  MarkTable user_categories;             ///< of users
  std::vector<std::string> description;  ///< k: one line in words
};

/// Of each segment of a level the one above that it lies in. level: 1 is the second of levels.size() + 1 levels, which
/// is the finest where it is levels.size(); finest: number of the finest segments.
inline std::vector<std::int32_t> parents_at(const std::vector<SegmentLevel>& levels, std::size_t level) {
  const auto& above = levels[level - 1].of_finest;
  if (level == levels.size()) return above;
  std::vector<std::int32_t> parents(levels[level].size.size());
  for (std::size_t s = 0; s < above.size(); ++s) parents[levels[level].of_finest[s]] = above[s];
  return parents;
}

/// The segments of users at a level, from those at the finest. level: 0 is the coarsest, levels.size() the finest.
inline std::vector<std::int32_t> segments_at(const std::vector<SegmentLevel>& levels, std::size_t level,
                                             const std::vector<std::int32_t>& finest) {
  if (level == levels.size()) return finest;
  std::vector<std::int32_t> segments;
  segments.reserve(finest.size());
  for (const auto segment : finest) segments.push_back(levels[level].of_finest[segment]);
  return segments;
}

}  // namespace cohort
