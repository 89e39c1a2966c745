// The softmax of rows against float64.
#include <algorithm>
#include <cmath>

#include "kernels/softmax.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

class Softmax : public OnEachTarget {};

TEST_F(Softmax, IsThatOfFloat64) {
  on_each_target([] {
    for (const std::int64_t columns : {1, 10, 33, 64, 1000}) {
      for (const double temperature : {0.01, 0.1, 1.0, 50.0}) {
        SCOPED_TRACE(std::to_string(columns) + " columns, temperature " + std::to_string(temperature));
        Matrix scores = made_up_matrix(5, columns, 3);
        const Matrix before = made_up_matrix(5, columns, 3);
        std::vector<double> log_sum(5);
        softmax_rows(scores.view(), temperature, log_sum);
        for (std::int64_t row = 0; row < 5; ++row) {
          const auto in = before.view().at(row);
          const auto largest = static_cast<double>(*std::ranges::max_element(in));
          double sum = 0;
          for (const float score : in) sum += std::exp((static_cast<double>(score) - largest) / temperature);
          EXPECT_NEAR(log_sum[row], std::log(sum) + largest / temperature, 2e-6 * std::max(1.0, largest / temperature));
          double total = 0;
          for (std::int64_t j = 0; j < columns; ++j) {
            const double expected = std::exp((static_cast<double>(in[j]) - largest) / temperature) / sum;
            // The exponent is rounded to float32: its magnitude times 2^-24 is a relative error.
            EXPECT_NEAR(static_cast<double>(scores.row(row)[j]), expected, 1e-6 + 2e-5 * expected);
            total += static_cast<double>(scores.row(row)[j]);
          }
          EXPECT_NEAR(total, 1.0, 1e-5);
          for (std::int64_t j = columns; j < scores.stride(); ++j) EXPECT_EQ(scores.row(row)[j], 0.0F);
        }
      }
    }
  });
}

TEST_F(Softmax, FarScoresOverflowNothing) {
  on_each_target([] {
    Matrix scores(1, 3);
    scores.row(0)[0] = 1e30F;
    scores.row(0)[1] = -1e30F;
    scores.row(0)[2] = 1e30F;
    std::vector<double> log_sum(1);
    softmax_rows(scores.view(), 0.1, log_sum);
    EXPECT_EQ(scores.row(0)[0], 0.5F);
    EXPECT_LT(scores.row(0)[1], 1e-38F);
    EXPECT_EQ(scores.row(0)[2], 0.5F);
    EXPECT_TRUE(std::isfinite(log_sum[0]));
  });
}

}  // namespace
}  // namespace cohort::testing
