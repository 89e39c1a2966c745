// Sparse times dense: the propagation of every encoder. Single-threaded; callers run it on different rows in parallel.
#pragma once

#include <cstdint>
#include <span>

#include "core/ids.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// Compressed rows with local columns. row_begin: rows + 1.
struct SparseRows {
  std::span<const std::int64_t> row_begin;
  std::span<const LocalRow> column;
  std::span<const float> value;
};

/// What rows are multiplied by: row r by by_row[r], or all by one number where by_row is empty.
struct RowScale {
  RowScale(float all) : all(all) {}
  RowScale(std::span<const float> by_row) : by_row(by_row) {}

  float all = 1;
  std::span<const float> by_row;
};

/// For each r of `rows`: out[r] = scale[r] * (addend[r] + sum over the row, in its order, of value * in[column]), by
/// fused multiply-add one neighbour after the other. addend may be empty (data == nullptr): zero. The bits of a row
/// depend on nothing but the row. in, addend and out have the same columns and stride; out overlaps neither.
void spmm(const SparseRows& matrix, std::span<const LocalRow> rows, ConstMatrixView in, ConstMatrixView addend,
          const RowScale& scale, MatrixView out);

/// The same into a small matrix: row i of `out` is that of rows[i] (`addend` still goes by rows[i]). For what is used
/// up at once, as a gradient by the optimiser: a block of rows stays in the cache and never becomes an n x columns
/// matrix.
void spmm_block(const SparseRows& matrix, std::span<const LocalRow> rows, ConstMatrixView in, ConstMatrixView addend,
                const RowScale& scale, MatrixView out);

}  // namespace cohort
