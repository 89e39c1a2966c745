#include "model/weights.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "kernels/scores.hpp"

namespace cohort {

namespace {

// Rows whose products are added in float32 before they go into the float64 sum.
constexpr std::int64_t block_rows = 64;

// What is beyond `rows` becomes zero. out: rows.columns x block_rows.
void transpose_block(ConstMatrixView rows, Matrix& out) {
  if (out.rows() != rows.columns) out = Matrix(rows.columns, block_rows);
  for (std::int64_t c = 0; c < rows.columns; ++c) {
    float* const to = out.row(c);
    for (std::int64_t r = 0; r < rows.rows; ++r) to[r] = rows.row(r)[c];
    std::fill(to + rows.rows, to + block_rows, 0.0F);
  }
}

}  // namespace

Weight glorot_weight(std::string name, std::int64_t rows, std::int64_t columns, std::uint64_t seed,
                     std::uint32_t number) {
  Weight weight{std::move(name), Matrix(rows, columns)};
  const CounterRandom random(seed, Purpose::weight_init);
  const double limit = std::sqrt(6.0 / static_cast<double>(rows + columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const double uniform = random.uniform(static_cast<std::uint64_t>(r * columns + c), number);
      weight.value.row(r)[c] = static_cast<float>(limit * (2 * uniform - 1));
    }
  }
  return weight;
}

void OuterProducts::add(ConstMatrixView left, ConstMatrixView right, std::span<double> partial) {
  COHORT_CHECK(left.rows == right.rows && std::ssize(partial) == left.columns * right.columns);
  if (product_.rows() != left.columns || product_.columns() != right.columns) {
    product_ = Matrix(left.columns, right.columns);
  }
  for (std::int64_t first = 0; first < left.rows; first += block_rows) {
    const auto count = std::min(block_rows, left.rows - first);
    transpose_block(left.slice(first, count), left_);
    transpose_block(right.slice(first, count), right_);
    inner_products(left_.view(), PackedRows(right_.view()), product_.view());
    for (std::int64_t r = 0; r < left.columns; ++r) {
      const float* const from = product_.row(r);
      double* const to = partial.data() + r * right.columns;
      for (std::int64_t c = 0; c < right.columns; ++c) to[c] += static_cast<double>(from[c]);
    }
  }
}

Matrix transposed(ConstMatrixView rows) {
  Matrix result(rows.columns, rows.rows);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    for (std::int64_t c = 0; c < rows.columns; ++c) result.row(c)[r] = rows.row(r)[c];
  }
  return result;
}

void round_into(std::span<const double> sums, MatrixView out) {
  COHORT_CHECK(std::ssize(sums) == out.rows * out.columns);
  for (std::int64_t r = 0; r < out.rows; ++r) {
    for (std::int64_t c = 0; c < out.columns; ++c) {
      out.row(r)[c] = static_cast<float>(sums[r * out.columns + c]);
    }
  }
}

}  // namespace cohort
