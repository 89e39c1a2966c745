// For the tests of the kernels: made-up matrices, and every vector target of this machine in turn.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/matrix.hpp"
#include "core/random.hpp"
#include "kernels/dispatch.hpp"

namespace cohort::testing {

inline float made_up(std::uint64_t seed, std::uint64_t index) {
  const auto normal = CounterRandom(seed, Purpose::quality_sample).normal(index);
  return static_cast<float>(normal[0]);
}

inline Matrix made_up_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      matrix.row(row)[column] = made_up(seed, static_cast<std::uint64_t>(row * columns + column));
    }
  }
  return matrix;
}

/// Bits, so that -0 and 0, or two kinds of NaN, are told apart.
inline bool same_bits(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.stride() == b.stride() &&
         (a.bytes() == 0 || std::memcmp(a.row(0), b.row(0), static_cast<std::size_t>(a.bytes())) == 0);
}

/// A test that runs on each target; afterwards the restriction is lifted.
class OnEachTarget : public ::testing::Test {
 protected:
  ~OnEachTarget() override { restrict_vector_targets(-1); }

  template <class Body>
  static void on_each_target(Body body) {
    restrict_vector_targets(-1);
    const std::int64_t all = vector_targets();
    for (std::int64_t left = all; left != 0; left &= left - 1) {
      restrict_vector_targets(left & -left);
      SCOPED_TRACE(vector_target());
      body();
    }
  }
};

}  // namespace cohort::testing
