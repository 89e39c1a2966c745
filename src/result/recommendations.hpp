// What to recommend, as `recommend` finds it and segments.h5 keeps it: the best items of every user and every segment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cohort {

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
  std::vector<std::int64_t> segment_item;  ///< k x n, the same on all ranks
  std::vector<float> segment_score;
  std::vector<std::int32_t>
      segment_known;  ///< beside them: 1 where more than half of the segment's users have the item
};

}  // namespace cohort
