// What recommending keeps in memory beside the population and the graph, known beforehand. For predictions; local.
#pragma once

#include <cstdint>

#include "items/items_memory.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

/// Of a rank's blocks.
struct RankingSizes {
  CountedItems counted;
  std::int64_t chosen = 0;  ///< users that are answered for
  std::int64_t all_items = 0;
  std::int64_t columns = 0;  ///< of the embedding
};

/// fit_recommendations() without anything to choose, and recommend_to_users() by `strategy`, which is neither automatic
/// nor needs a filter.
std::int64_t ranking_bytes(const RankingSizes& sizes, Strategy strategy, std::int64_t count);

}  // namespace cohort
