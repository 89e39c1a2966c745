// What recommending keeps in memory beside the population and the graph, known beforehand. For predictions; local.
#pragma once

#include <cstdint>

#include "comm/machine_memory.hpp"
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

/// Of a rank's part of the filter's graph, whose rows are users and items alike.
struct FilterSizes {
  HaloRows rows;
  std::int64_t items = 0;    ///< owned rows that are
  std::int64_t entries = 0;  ///< two for each interaction
  std::int64_t columns = 0;  ///< of the embedding
};

/// FilterGraph of such a rank.
std::int64_t filter_graph_bytes(const FilterSizes& sizes);

/// What FilterRanking keeps beside its graph.
MemoryNeed filter_ranking_memory(const FilterSizes& sizes);

/// Making the graph from the interactions, and ranking by it: of both the one that takes more.
MemoryNeed filter_memory(const FilterSizes& sizes);

/// What a Validation (recommend/blend.hpp) keeps once its embedding has been trained.
std::int64_t validation_bytes(const RankingSizes& sizes);

/// fit_recommendations() without anything to choose, and recommend_to_users() by `strategy`, which is neither automatic
/// nor needs a filter.
std::int64_t ranking_bytes(const RankingSizes& sizes, Strategy strategy, std::int64_t count);

}  // namespace cohort
