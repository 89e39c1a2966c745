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

/// Rows packed for the kernel: panels of rows, columns interleaved.
class PackedRows {
 public:
  PackedRows() = default;
  explicit PackedRows(ConstMatrixView rows);
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  const float* panel(std::int64_t index) const;

 private:
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  Matrix storage_;
};

/// out (a.rows x at least b.rows(), any stride >= b.rows() rounded up to 16): out[i][j] = <a_i, b_j>.
void inner_products(ConstMatrixView a, const PackedRows& b, MatrixView out);

/// nearest[i] = the j of least offset[j] - 2 <points_i, centre_j>, ties to the smaller j; with offset[j] = |centre_j|^2
/// that is the nearest centre, with 0 the one of largest inner product (spherical). offset: b.rows(). nearest: points.rows.
void nearest_rows(ConstMatrixView points, const PackedRows& centres, std::span<const float> offset,
                  std::span<std::int32_t> nearest);

}  // namespace cohort
