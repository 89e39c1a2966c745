#include "recommend/ranking_memory.hpp"

#include <algorithm>

#include "graph/rank_shares.hpp"
#include "model/graph_filter.hpp"

namespace cohort {

std::int64_t filter_graph_bytes(const FilterSizes& sizes) {
  RankShare share;
  share.owned = sizes.rows.owned;
  share.ghosts = sizes.rows.ghosts;
  share.entries = sizes.entries;
  return graph_bytes(share, 0) + 8 * sizes.rows.owned;  // degrees
}

MemoryNeed filter_ranking_memory(const FilterSizes& sizes) {
  // Two matrices that are exchanged and a sum; numbers and places of rows, and the columns of the entries once more
  // where ghosts lie elsewhere; the items' embedding as it comes and as it is kept.
  auto memory = halo_memory(sizes.rows, GraphFilter::columns, 2);
  memory.bytes += sizes.rows.owned * (row_bytes(GraphFilter::columns) + 12) + 32 * sizes.items;
  if (sizes.rows.ghosts > 0) memory.bytes += 4 * sizes.entries;
  memory.bytes += 2 * sizes.items * row_bytes(sizes.columns);
  return memory;
}

MemoryNeed filter_memory(const FilterSizes& sizes) {
  // A copy of the interactions, and the entries of their graph as they are made.
  const MemoryNeed making{6 * sizes.entries + bipartite_graph_bytes(sizes.entries)};
  auto ranking = filter_ranking_memory(sizes);
  ranking.bytes += filter_graph_bytes(sizes);
  return larger(making, ranking);
}

std::int64_t validation_bytes(const RankingSizes& sizes) {
  // Interactions that are left, and at most one of each user that is not; rows of users and items.
  const auto& counted = sizes.counted;
  return 12 * counted.interactions + 36 * counted.users + (counted.users + counted.items) * row_bytes(sizes.columns);
}

std::int64_t ranking_bytes(const RankingSizes& sizes, Strategy strategy, std::int64_t count) {
  const bool by_rows = strategy != Strategy::global && strategy != Strategy::segment;
  const auto lists = by_rows ? top_items_bytes(sizes.chosen, sizes.all_items, sizes.columns, count) : 0;
  return std::max(counting_bytes(sizes.counted), item_counts_bytes(sizes.counted) + lists);
}

}  // namespace cohort
