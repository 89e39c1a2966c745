// Inner products of many rows with many rows: the assignment step of k-means and the scores of all-ranking, as a
// register-blocked product over packed panels. Single-threaded; callers run it on different rows in parallel.
//
// Every inner product is one chain of fused multiply-adds over the columns in ascending order, so its bits depend on
// its two rows alone, not on the blocking or on who else is in the call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"

namespace cohort {

/// Rows packed for the kernel, once for many calls: panels of 16 rows, in a panel column after column (16 floats, one
/// of each row; zero past the last row).
class PackedRows {
 public:
  PackedRows() = default;
  explicit PackedRows(ConstMatrixView rows);
  /// Of the rows that `columns` has as its columns, the first `rows` of them: columns.row(c)[j] is element c of row j,
  /// and columns.stride at least `rows` rounded up to 16.
  static PackedRows of_columns(ConstMatrixView columns, std::int64_t rows);
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t panels() const { return storage_.rows(); }
  const float* panel(std::int64_t index) const { return storage_.row(index); }

 private:
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  Matrix storage_;
};

/// out (a.rows x at least b.rows(), any stride >= b.rows() rounded up to 16): out[i][j] = <a_i, b_j>; zero from
/// b.rows() up to the next multiple of 16.
void inner_products(ConstMatrixView a, const PackedRows& b, MatrixView out);

/// out[i][j] += scale[i] * row[j], one fused multiply-add each, for every i of `scale` and j of `row`. row.size(): a
/// multiple of 16, at most out.stride.
void add_scaled_row(MatrixView out, std::span<const float> scale, std::span<const float> row);

/// out[j] = <a, rows[at[j]]>, with the bits of inner_products. a: rows.columns; out: at least as many as `at`. For a
/// few scattered rows of many.
void inner_products_at(const float* a, ConstMatrixView rows, std::span<const std::int32_t> at, std::span<float> out);

/// Writes, ascending, the j of all scores[j] that are not below `least` (those that are no numbers too), and returns
/// how many they are. at: room for scores.size() rounded up to 16.
std::int64_t not_below(std::span<const float> scores, float least, std::span<std::int32_t> at);

/// left[j] = sqrt(max(0, square[j] (1 + slack) - sum over r of coordinates[r][j]^2)): how long a row of squared length
/// square[j] still is beside its coordinates on some axes. left: at most coordinates.stride.
void lengths_left(ConstMatrixView coordinates, std::span<const float> square, float slack, std::span<float> left);

/// nearest[i] = the j of least offset[j] - 2 <points_i, centre_j>, ties to the smaller j; with offset[j] = |centre_j|^2
/// that is the nearest centre, with 0 the one of largest inner product (spherical). offset: centres.rows() >= 1.
/// nearest: points.rows. A value that is not a number never wins; where none wins, nearest is 0.
void nearest_rows(ConstMatrixView points, const PackedRows& centres, std::span<const float> offset,
                  std::span<std::int32_t> nearest);

}  // namespace cohort
