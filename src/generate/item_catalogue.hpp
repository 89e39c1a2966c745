// The items of a made-up population: which segment prefers which, how popular each is, and what number its id has. The
// same on all ranks. Internal to generate/.
#pragma once

#include <cstdint>
#include <vector>

#include "generate/alias_table.hpp"

namespace cohort {

/// Zipf's law over items by popularity: weight (rank + 1)^-popularity_exponent.
inline constexpr double popularity_exponent = 0.7;

/// Items stand in places: those that segment 0 prefers, then those of segment 1, ..., within a segment by popularity.
/// Each segment gets its share of popular and of rare items.
struct ItemCatalogue {
  std::vector<std::int64_t> segment_begin;  ///< segments + 1: places of the items that each segment prefers
  std::vector<std::uint32_t> number;        ///< of the item's id, by place
  std::vector<double> weight;               ///< popularity, by place
  AliasTable everywhere;                    ///< draws a place by popularity
  std::vector<AliasTable> of_segment;       ///< draws one of a segment's, counted from its first

  std::int64_t items() const { return static_cast<std::int64_t>(number.size()); }
};

/// 1 <= segments <= items < 2^32. Local.
ItemCatalogue make_catalogue(std::int64_t items, std::int64_t segments, std::uint64_t seed);

}  // namespace cohort
