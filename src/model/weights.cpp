#include "model/weights.hpp"

#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"

namespace cohort {

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
