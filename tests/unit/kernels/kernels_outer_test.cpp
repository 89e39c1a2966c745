// Sums over rows of products of their elements against plain loops, to the bit, on every vector target.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/outer.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

class OuterProducts : public OnEachTarget {};

// What outer.hpp says, one number at a time.
double plus_products(double sum, const Matrix& left, std::int64_t i, const Matrix& right, std::int64_t j) {
  constexpr std::int64_t block = 64;
  for (std::int64_t first = 0; first < left.rows(); first += block) {
    float product = 0;
    for (auto row = first; row < std::min(first + block, left.rows()); ++row) {
      product = std::fma(left.row(row)[i], right.row(row)[j], product);
    }
    sum += static_cast<double>(product);
  }
  return sum;
}

TEST_F(OuterProducts, EqualTheReferenceToTheBit) {
  for (const std::int64_t rows : {0, 1, 64, 65, 200}) {
    for (const std::int64_t left_columns : {1, 6, 10, 33, 64}) {
      for (const std::int64_t right_columns : {1, 10, 16, 33, 64, 100}) {
        SCOPED_TRACE(::testing::Message() << rows << " rows, " << left_columns << " x " << right_columns);
        const Matrix left = made_up_matrix(rows, left_columns, 1);
        const Matrix right = made_up_matrix(rows, right_columns, 2);
        std::vector<double> expected;
        for (std::int64_t i = 0; i < left_columns; ++i) {
          for (std::int64_t j = 0; j < right_columns; ++j) expected.push_back(plus_products(0.25, left, i, right, j));
        }
        on_each_target([&] {
          std::vector<double> sums(expected.size(), 0.25);
          add_outer_products(left.view(), right.view(), sums);
          EXPECT_EQ(sums, expected);
        });
      }
    }
  }
}

TEST_F(OuterProducts, AreNearTheExactSums) {
  const Matrix left = made_up_matrix(1000, 12, 3);
  const Matrix right = made_up_matrix(1000, 20, 4);
  std::vector<double> sums(240, 0.0);
  add_outer_products(left.view(), right.view(), sums);
  for (std::int64_t i = 0; i < 12; ++i) {
    for (std::int64_t j = 0; j < 20; ++j) {
      double exact = 0;
      double size = 0;
      for (std::int64_t row = 0; row < 1000; ++row) {
        const double product = static_cast<double>(left.row(row)[i]) * static_cast<double>(right.row(row)[j]);
        exact += product;
        size += std::fabs(product);
      }
      // A float32 sum of 64 terms errs by at most 64 roundings.
      EXPECT_NEAR(sums[i * 20 + j], exact,
                  64 * 0.5 * static_cast<double>(std::numeric_limits<float>::epsilon()) * size);
    }
  }
}

}  // namespace
}  // namespace cohort::testing
