#include "recommend/ranking_memory.hpp"

#include <algorithm>

namespace cohort {

std::int64_t ranking_bytes(const RankingSizes& sizes, Strategy strategy, std::int64_t count) {
  const bool by_rows = strategy != Strategy::global && strategy != Strategy::segment;
  const auto lists = by_rows ? top_items_bytes(sizes.chosen, sizes.all_items, sizes.columns, count) : 0;
  return std::max(counting_bytes(sizes.counted), item_counts_bytes(sizes.counted) + lists);
}

}  // namespace cohort
