// What to recommend, as `recommend` finds it and segments.h5 keeps it: the best items of every user and every segment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cohort {

/// The best items of segments, `count` each, best first; the same on all ranks.
struct SegmentLists {
  std::vector<std::int64_t> item;   ///< segments x count; -1 where there are fewer
  std::vector<float> score;         ///< beside them; NaN where there are fewer
  std::vector<std::int32_t> known;  ///< beside them: 1 where more than half of the segment's users have the item
};

/// Lists of `count` items, best first. A list that is shorter ends in items -1 of score NaN.
struct Recommendations {
  std::string strategy;            ///< global, segment, personal, blend, filter, hybrid
  std::int64_t count = 0;          ///< n, items a list; at least 1
  double smoothing = 0;            ///< m of recommend/segment_prior.hpp, infinite: the global popularity; NaN: not used
  double blend_weight = 0;         ///< w of recommend/recommendation.hpp; NaN: not used
  double filter_ridge = 0;         ///< which filter (model/graph_filter.hpp); NaN: not used
  double filter_power = 0;         ///< b of recommend/filter_ranking.hpp; NaN: not used
  double filter_weight = 0;        ///< w of recommend/filter_ranking.hpp; NaN: not used
  std::vector<std::int64_t> item;  ///< of this rank's block of users, n each
  std::vector<float> score;        ///< beside them
  SegmentLists of_segments;        ///< of the finest where there are levels
  std::int64_t level = 0;          ///< whose segments the users' lists are made with, from 1; 0: there is one level
  std::vector<double> level_smoothing;  ///< as `smoothing`, of every level, the coarsest first; empty: there is one
};

}  // namespace cohort
