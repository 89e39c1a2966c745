// Some consecutive items of one rank, packed for products, as all ranks see them in turn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "items/top_items.hpp"
#include "kernels/scores.hpp"

namespace cohort {

struct ItemPiece {
  Matrix rows;
  std::vector<PackedRows> tiles;          ///< of `rows`
  std::int64_t tile_items = 0;            ///< a multiple of 16; the last tile may have fewer
  std::vector<float> square;              ///< ScoreBounds::squared_length of the items
  std::vector<std::int64_t> numbers;      ///< of the items
  std::vector<float> base;                ///< of the items, and the entries of each group by place in the piece
  std::vector<std::int64_t> prior_begin;  ///< groups + 1
  std::vector<std::int32_t> prior_place;
  std::vector<float> prior_value;

  /// The prior of a group for the items from `first` on, as many as `row` has or there are; zero beyond.
  void prior_row(std::int32_t group, std::int64_t first, std::span<float> row) const;
};

/// Items [begin, end) of rank `root`, of `columns` columns, on all ranks. numbered: query.numbers counts. Collective.
ItemPiece share_piece(const Communicator& comm, const TopItemsQuery& query, bool numbered, std::int64_t columns,
                      int root, std::int64_t begin, std::int64_t end);

}  // namespace cohort
