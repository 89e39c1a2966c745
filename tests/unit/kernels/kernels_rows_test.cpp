// The row kernels of BPR and Adam against scalar code whose every intermediate is stored (volatile), so that no
// compiler fuses a product into a sum there; equality to the bit says that the kernels did not either.
#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.hpp"
#include "kernels/rows.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

class RowKernels : public OnEachTarget {};

constexpr float factor = 0.7531F;
constexpr std::int64_t widths[] = {1, 10, 33, 64, 100, 200};

float rounded(float x) {
  volatile float stored = x;
  return stored;
}

/// Runs `kernel` on a row of each width on each target; `expected` says what element i becomes, from x, y and out.
void check_rows(const std::function<void(const float*, const float*, float*, std::int64_t)>& kernel,
                const std::function<float(float, float, float)>& expected) {
  for (const std::int64_t width : widths) {
    SCOPED_TRACE(width);
    const Matrix in = made_up_matrix(3, width, 1);
    Matrix out(1, width);
    std::copy_n(in.row(2), out.stride(), out.row(0));
    kernel(in.row(0), in.row(1), out.row(0), out.stride());
    for (std::int64_t i = 0; i < width; ++i) {
      EXPECT_EQ(out.row(0)[i], expected(in.row(0)[i], in.row(1)[i], in.row(2)[i]));
    }
    for (std::int64_t i = width; i < out.stride(); ++i) EXPECT_EQ(out.row(0)[i], 0.0F);
  }
}

TEST_F(RowKernels, RoundEachProductAndEachSum) {
  bool a_fused_one_would_differ = false;
  on_each_target([&] {
    check_rows([](auto x, auto, auto out, auto stride) { add_scaled(factor, x, out, stride); },
               [&](float x, float, float out) {
                 const float separate = rounded(out + rounded(factor * x));
                 a_fused_one_would_differ |= separate != std::fma(factor, x, out);
                 return separate;
               });
    check_rows([](auto x, auto, auto out, auto stride) { scale_into(factor, x, out, stride); },
               [](float x, float, float) { return rounded(factor * x); });
    check_rows(
        [](auto x, auto, auto out, auto stride) {
          const float by_row[] = {factor};
          scale_rows(by_row, {x, 1, stride, stride}, {out, 1, stride, stride});
        },
        [](float x, float, float) { return rounded(factor * x); });
    check_rows([](auto x, auto, auto out, auto stride) { add_row(x, out, stride); },
               [](float x, float, float out) { return rounded(out + x); });
    check_rows([](auto x, auto y, auto out, auto stride) { add_scaled_difference(factor, x, y, out, stride); },
               [](float x, float y, float out) { return rounded(out + rounded(factor * rounded(x - y))); });
  });
  EXPECT_TRUE(a_fused_one_would_differ);
}

TEST_F(RowKernels, DotIsExactToFloat64AndTheSameOnEveryTarget) {
  for (const std::int64_t width : widths) {
    SCOPED_TRACE(width);
    const Matrix in = made_up_matrix(2, width, 2);
    double sums[16] = {};
    for (std::int64_t i = 0; i < in.stride(); ++i) {
      sums[i % 16] += static_cast<double>(in.row(0)[i]) * static_cast<double>(in.row(1)[i]);
    }
    for (int half = 8; half >= 1; half /= 2) {
      for (int l = 0; l < half; ++l) sums[l] += sums[l + half];
    }
    on_each_target([&] { EXPECT_EQ(row_dot(in.row(0), in.row(1), in.stride()), sums[0]); });
  }
}

TEST_F(RowKernels, AdamEqualsScalarCodeToTheBit) {
  constexpr std::int64_t count = 208;
  const AdamStep step = adam_step(0.01, 3);
  on_each_target([&] {
    const Matrix gradient = made_up_matrix(1, count, 1);
    Matrix weight = made_up_matrix(1, count, 2);
    Matrix first = made_up_matrix(1, count, 3);
    Matrix second = made_up_matrix(1, count, 4);
    for (float& x : second.view().at(0)) x = std::abs(x);
    const Matrix weight0 = made_up_matrix(1, count, 2);
    const Matrix first0 = made_up_matrix(1, count, 3);
    adam_update(step, gradient.row(0), weight.row(0), first.row(0), second.row(0), count);
    for (std::int64_t i = 0; i < count; ++i) {
      const float g = gradient.row(0)[i];
      const float v0 = std::abs(made_up(4, static_cast<std::uint64_t>(i)));
      const float m = rounded(rounded(step.beta1 * first0.row(0)[i]) + rounded(step.first_share * g));
      const float v = rounded(rounded(step.beta2 * v0) + rounded(rounded(step.second_share * g) * g));
      const float denominator = rounded(rounded(rounded(std::sqrt(v)) * step.inverse_root) + step.epsilon);
      const float w = rounded(weight0.row(0)[i] - rounded(rounded(step.step_size * m) / denominator));
      EXPECT_EQ(first.row(0)[i], m);
      EXPECT_EQ(second.row(0)[i], v);
      EXPECT_EQ(weight.row(0)[i], w);
    }
  });
}

TEST_F(RowKernels, AdamFollowsThePaperInFloat64) {
  Matrix weight(1, 16);
  Matrix first(1, 16);
  Matrix second(1, 16);
  Matrix gradient(1, 16);
  double w = 0;
  double m = 0;
  double v = 0;
  for (std::int64_t t = 1; t <= 200; ++t) {
    const float g = made_up(9, static_cast<std::uint64_t>(t));
    gradient.row(0)[5] = g;
    adam_update(adam_step(0.001, t), gradient.row(0), weight.row(0), first.row(0), second.row(0), 16);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * static_cast<double>(g) * g;
    const double corrected_m = m / (1 - std::pow(0.9, static_cast<double>(t)));
    const double corrected_v = v / (1 - std::pow(0.999, static_cast<double>(t)));
    w -= 0.001 * corrected_m / (std::sqrt(corrected_v) + 1e-8);
    ASSERT_NEAR(weight.row(0)[5], w, 1e-6 * (1 + std::abs(w)));
  }
  EXPECT_EQ(weight.row(0)[4], 0.0F);  // no gradient, no step
  EXPECT_THROW(adam_step(0.001, 0), InternalError);
}

TEST_F(RowKernels, TargetsCanBeRestricted) {
  const std::int64_t all = vector_targets();
  EXPECT_NE(all, 0);
  const std::int64_t fallback = std::int64_t{1} << 62;
  EXPECT_NE(all & fallback, 0);
  restrict_vector_targets(fallback);
  EXPECT_EQ(vector_target(), "SCALAR");
  EXPECT_EQ(vector_targets(), fallback);
  EXPECT_THROW(restrict_vector_targets(0), InternalError);
  restrict_vector_targets(-1);
  EXPECT_EQ(vector_targets(), all);
}

}  // namespace
}  // namespace cohort::testing
