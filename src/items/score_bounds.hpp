// Upper bounds of the scores of a group of users, by a few columns: most items are below a user's k best by so much
// that their score need not be computed to know it. Users and items are turned into the axes along which the group's
// users lie; of the leading ones the product is taken, of the others the product of their lengths (Cauchy and Schwarz).
// As in LEMP (Teflioudi et al. 2015) and FEXIPRO (Li et al. 2017, section 3), but with axes for each group: users of
// one segment have most of their length on a few.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/scores.hpp"

namespace cohort {

class ScoreBounds {
 public:
  /// users: a group's rows, some of which lie near each other, the better the more. Local.
  explicit ScoreBounds(ConstMatrixView users);

  /// How many axes bounds may go by, ascending; none where rows are too short for bounds to save anything, or not
  /// finite.
  std::span<const std::int64_t> choices() const { return choices_; }
  /// Takes one of choices() for what follows.
  void keep(std::int64_t axes);
  std::int64_t kept() const { return kept_; }

  /// Rows of which <of_users().row(u), row v of of_items>, in float32, is at least kernels/scores.hpp's product of u
  /// and v, the rounding of all of them included, or is not a number; where that product is below the least normal
  /// float32, it may be above it by as much. users x kept() + 2.
  ConstMatrixView of_users() const { return user_bounds_.view(); }
  /// Column v is of_items' row v: kept() + 2 x items.panels() * 16, zero past the items. square: squared_length() of
  /// the items.
  Matrix of_items(const PackedRows& items, std::span<const float> square) const;
  /// The same by the first axis alone: product of the first columns, plus product of what this says, plus product of
  /// the last columns. users; items: from of_items. out: as many as `square`.
  std::span<const float> users_beside_first() const { return beside_first_; }
  void items_beside_first(const Matrix& items, std::span<const float> square, std::span<float> out) const;
  /// At least the row's, so that it is far from what float32 loses of small ones.
  static float squared_length(std::span<const float> row);
  /// The direction in which the users lie in the mean: 1 x their columns.
  ConstMatrixView mean() const { return mean_.view(); }

 private:
  float slack(double columns) const;
  float length_beside(std::int64_t user, std::int64_t axes) const;

  std::int64_t width_ = 0;
  std::int64_t kept_ = 0;
  std::vector<std::int64_t> choices_;
  Matrix axes_;                // the most that may be kept x width
  Matrix mean_;                // 1 x width: of the users, each of length 1
  Matrix coordinates_;         // users x axes
  std::vector<float> square_;  // of the users' lengths
  std::vector<float> beside_first_;
  Matrix user_bounds_;
};

}  // namespace cohort
