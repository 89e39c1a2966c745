// Some users on their way past a piece of the items: their scores, tile by tile, and where bounds of scores
// (items/score_bounds.hpp) say that an item cannot be among a user's best, not even those.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "items/item_piece.hpp"
#include "items/score_bounds.hpp"
#include "items/top_items.hpp"
#include "kernels/top_k.hpp"

namespace cohort {

class UserGroup {
 public:
  /// Users whose scores are made at a time: with a tile they share a core's second-level cache.
  static constexpr std::int64_t user_block = 48;

  /// users: rows of query.users, of one group of query.prior; best: theirs, so far. bounded: bounds may be used. All of
  /// them must outlive the group. Local.
  UserGroup(const TopItemsQuery& query, std::span<const std::int64_t> users, std::span<TopK> best,
            const ItemPiece& piece, bool bounded);

  /// Offers to `best` all items of the piece that can be among them.
  void pass();

 private:
  void pass_tile(std::int64_t tile);
  void take_by_bounds(const Matrix& bounds, std::int64_t tile, std::int64_t first);
  std::int64_t find_near(const Matrix& bounds, std::int64_t tile, std::int64_t first, std::int64_t count);
  void bound_near(const Matrix& bounds, std::int64_t near, std::int64_t first, std::int64_t count);
  void take_all(std::int64_t tile);
  void order_by_angle();
  void find_floors();
  void choose_axes();
  std::vector<std::int32_t> likely_items() const;
  float bar(std::int64_t user) const;
  Matrix bounds_of(std::int64_t tile) const;
  std::span<const float> squares_of(std::int64_t tile) const;
  std::span<const std::int64_t> excluded(std::int64_t user) const;
  std::int64_t tile_begin(std::int64_t tile) const { return tile * piece_.tile_items; }

  const TopItemsQuery& query_;
  std::span<const std::int64_t> users_;
  std::span<TopK> best_;
  const ItemPiece& piece_;
  Matrix rows_;       // of the users
  Matrix some_rows_;  // those of here_
  Matrix scores_;     // a block of users x the items of a tile
  std::vector<float> scale_;
  std::vector<float> prior_;
  std::optional<ScoreBounds> bounds_;
  std::vector<std::int64_t> order_;      // row i is of users_[order_[i]]: by the angle to the group's first axis
  std::vector<float> floor_;             // of each user: what its k best reach in any case
  std::span<const std::int64_t> items_;  // of the tile
  std::vector<std::int64_t> here_;       // users of the block, from 0 in the group
  std::vector<float> reach_;             // of the tile's items: their largest bound over a block's users, by the bar
  std::vector<float> beside_first_;
  std::vector<std::int32_t> near_;  // items of the tile that may count for somebody of a block
  std::vector<float> near_prior_;
  Matrix near_columns_;           // their columns of the bounds
  std::vector<std::int32_t> at_;  // items of the tile that bounds leave, and their scores and numbers
  std::vector<float> some_;
  std::vector<std::int64_t> some_items_;
};

}  // namespace cohort
