#include "kernels/rows.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows.cpp"
#include <cmath>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

/// 16 sums in float64, sum l over the elements l, l + 16, ..., then halved pairwise: one order for every vector length.
/// A product of two floats is exact in float64, so fused or not makes no difference here.
double row_dot_vectors(const float* a, const float* b, std::int64_t stride) {
  using Doubles = hn::CappedTag<double, group>;
  constexpr Doubles d;
  constexpr std::int64_t width = static_cast<std::int64_t>(hn::MaxLanes(Doubles()));
  constexpr std::int64_t vectors = group / width;
  constexpr hn::Rebind<float, Doubles> narrow;
  hn::Vec<Doubles> sum[vectors];
  for (auto& part : sum) part = hn::Zero(d);
  for (std::int64_t i = 0; i < stride; i += group) {
    for (std::int64_t v = 0; v < vectors; ++v) {
      const auto left = hn::PromoteTo(d, hn::LoadU(narrow, a + i + v * width));
      const auto right = hn::PromoteTo(d, hn::LoadU(narrow, b + i + v * width));
      sum[v] = hn::MulAdd(left, right, sum[v]);
    }
  }
  for (std::int64_t half = vectors / 2; half >= 1; half /= 2) {
    for (std::int64_t v = 0; v < half; ++v) sum[v] = hn::Add(sum[v], sum[v + half]);
  }
  HWY_ALIGN double lane[width];
  hn::Store(sum[0], d, lane);
  for (std::int64_t half = width / 2; half >= 1; half /= 2) {
    for (std::int64_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

void add_scaled_vectors(float factor, const float* x, float* out, std::int64_t stride) {
  constexpr Floats d;
  const FloatVector scale = hn::Set(d, factor);
  for (std::int64_t i = 0; i < stride; i += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::Mul(scale, hn::LoadU(d, x + i))), d, out + i);
  }
}

void scale_into_vectors(float factor, const float* x, float* out, std::int64_t stride) {
  constexpr Floats d;
  const FloatVector scale = hn::Set(d, factor);
  for (std::int64_t i = 0; i < stride; i += lanes) hn::StoreU(hn::Mul(scale, hn::LoadU(d, x + i)), d, out + i);
}

void scale_rows_vectors(const float* factor, ConstMatrixView in, MatrixView out) {
  for (std::int64_t row = 0; row < in.rows; ++row) {
    scale_into_vectors(factor[row], in.row(row), out.row(row), in.stride);
  }
}

void add_row_vectors(const float* x, float* out, std::int64_t stride) {
  constexpr Floats d;
  for (std::int64_t i = 0; i < stride; i += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::LoadU(d, x + i)), d, out + i);
  }
}

void add_scaled_difference_vectors(float factor, const float* x, const float* y, float* out, std::int64_t stride) {
  constexpr Floats d;
  const FloatVector scale = hn::Set(d, factor);
  for (std::int64_t i = 0; i < stride; i += lanes) {
    const FloatVector difference = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, y + i));
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::Mul(scale, difference)), d, out + i);
  }
}

void adam_update_vectors(const AdamStep& step, const float* gradient, float* weight, float* first_moment,
                         float* second_moment, std::int64_t count) {
  constexpr Floats d;
  const FloatVector beta1 = hn::Set(d, step.beta1);
  const FloatVector beta2 = hn::Set(d, step.beta2);
  const FloatVector first_share = hn::Set(d, step.first_share);
  const FloatVector second_share = hn::Set(d, step.second_share);
  const FloatVector step_size = hn::Set(d, step.step_size);
  const FloatVector inverse_root = hn::Set(d, step.inverse_root);
  const FloatVector epsilon = hn::Set(d, step.epsilon);
  for (std::int64_t i = 0; i < count; i += lanes) {
    const FloatVector g = hn::LoadU(d, gradient + i);
    const FloatVector m = hn::Add(hn::Mul(beta1, hn::LoadU(d, first_moment + i)), hn::Mul(first_share, g));
    const FloatVector v =
        hn::Add(hn::Mul(beta2, hn::LoadU(d, second_moment + i)), hn::Mul(hn::Mul(second_share, g), g));
    const FloatVector denominator = hn::Add(hn::Mul(hn::Sqrt(v), inverse_root), epsilon);
    const FloatVector w = hn::Sub(hn::LoadU(d, weight + i), hn::Div(hn::Mul(step_size, m), denominator));
    hn::StoreU(m, d, first_moment + i);
    hn::StoreU(v, d, second_moment + i);
    hn::StoreU(w, d, weight + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(row_dot_vectors);
HWY_EXPORT(add_scaled_vectors);
HWY_EXPORT(scale_into_vectors);
HWY_EXPORT(scale_rows_vectors);
HWY_EXPORT(add_row_vectors);
HWY_EXPORT(add_scaled_difference_vectors);
HWY_EXPORT(adam_update_vectors);

double row_dot(const float* a, const float* b, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(row_dot_vectors)(a, b, stride);
}

void add_scaled(float factor, const float* x, float* out, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(add_scaled_vectors)(factor, x, out, stride);
}

void scale_into(float factor, const float* x, float* out, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(scale_into_vectors)(factor, x, out, stride);
}

void scale_rows(std::span<const float> factor, ConstMatrixView in, MatrixView out) {
  COHORT_CHECK(std::ssize(factor) >= in.rows && out.rows >= in.rows && out.stride == in.stride);
  HWY_DYNAMIC_DISPATCH(scale_rows_vectors)(factor.data(), in, out);
}

void add_row(const float* x, float* out, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(add_row_vectors)(x, out, stride);
}

void add_scaled_difference(float factor, const float* x, const float* y, float* out, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(add_scaled_difference_vectors)(factor, x, y, out, stride);
}

AdamStep adam_step(double learning_rate, std::int64_t step) {
  COHORT_CHECK(step >= 1);
  constexpr double beta1 = 0.9;
  constexpr double beta2 = 0.999;
  AdamStep result;
  result.beta1 = static_cast<float>(beta1);
  result.beta2 = static_cast<float>(beta2);
  result.first_share = static_cast<float>(1.0 - beta1);
  result.second_share = static_cast<float>(1.0 - beta2);
  const auto t = static_cast<double>(step);
  result.step_size = static_cast<float>(learning_rate / (1.0 - std::pow(beta1, t)));
  result.inverse_root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(beta2, t)));
  return result;
}

void adam_update(const AdamStep& step, const float* gradient, float* weight, float* first_moment, float* second_moment,
                 std::int64_t count) {
  COHORT_CHECK(count % 16 == 0, "whole padded rows are updated");
  HWY_DYNAMIC_DISPATCH(adam_update_vectors)(step, gradient, weight, first_moment, second_moment, count);
}

}  // namespace cohort
#endif
