// What to recommend, as segments.h5 keeps it: the best items of every user and of every segment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "store/h5.hpp"

namespace cohort {

/// Lists of `count` items, best first. A list that is shorter ends in items -1 of score NaN.
struct Recommendations {
  std::string strategy;            ///< global, segment, personal, blend, filter, hybrid
  std::int64_t count = 0;          ///< n, items a list; at least 1
  double smoothing = 0;            ///< m of segment/segment_prior.hpp, infinite: the global popularity; NaN: not used
  double blend_weight = 0;         ///< w of segment/recommendation.hpp; NaN: not used
  double filter_power = 0;         ///< b of segment/filter_ranking.hpp; NaN: not used
  double filter_weight = 0;        ///< w of segment/filter_ranking.hpp; NaN: not used
  std::vector<std::int64_t> item;  ///< of this rank's block of users, n each
  std::vector<float> score;        ///< beside them
  std::vector<std::int64_t> segment_item;  ///< k x n, the same on all ranks
  std::vector<float> segment_score;
  std::vector<std::int32_t>
      segment_known;  ///< beside them: 1 where more than half of the segment's users have the item
};

/// Collective, as below.
void write_recommendations(h5::Writer& file, const Recommendations& recommendations);

/// nullopt where `recommend` has not run. Throws InputError: damaged, items that the file does not have.
std::optional<Recommendations> read_recommendations(const Communicator& comm, const h5::Reader& file,
                                                    const Distribution& users, std::int64_t items,
                                                    std::int64_t segments);

}  // namespace cohort
