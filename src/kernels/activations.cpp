#include "kernels/activations.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activations.cpp"
#include <algorithm>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
// After foreach_target.h, as every header that is compiled once a target.
#include "hwy/contrib/math/math-inl.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

constexpr float selu_scale = 1.0507009873554805F;
constexpr float selu_alpha = 1.6732632423543772F;
// The kernel's polynomial needs a finite argument that is no denormal's.
constexpr float least_exponent = -87.0F;

void relu_row(float* row, std::int64_t stride) {
  constexpr Floats d;
  for (std::int64_t i = 0; i < stride; i += lanes) hn::StoreU(hn::Max(hn::LoadU(d, row + i), hn::Zero(d)), d, row + i);
}

void selu_row(float* row, std::int64_t stride) {
  constexpr Floats d;
  const FloatVector scale = hn::Set(d, selu_scale);
  const FloatVector below_scale = hn::Set(d, selu_scale * selu_alpha);
  for (std::int64_t i = 0; i < stride; i += lanes) {
    const auto x = hn::LoadU(d, row + i);
    const auto exponent = hn::Min(hn::Max(x, hn::Set(d, least_exponent)), hn::Zero(d));
    const auto below = hn::Mul(below_scale, hn::Sub(hn::Exp(d, exponent), hn::Set(d, 1.0F)));
    hn::StoreU(hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Mul(scale, x), below), d, row + i);
  }
}

void relu_back_row(const float* result, float* gradient, std::int64_t stride) {
  constexpr Floats d;
  for (std::int64_t i = 0; i < stride; i += lanes) {
    const auto above = hn::Gt(hn::LoadU(d, result + i), hn::Zero(d));
    hn::StoreU(hn::IfThenElse(above, hn::LoadU(d, gradient + i), hn::Zero(d)), d, gradient + i);
  }
}

// Below zero the slope is scale * alpha * exp(x) = result + scale * alpha.
void selu_back_row(const float* result, float* gradient, std::int64_t stride) {
  constexpr Floats d;
  const FloatVector scale = hn::Set(d, selu_scale);
  const FloatVector below_scale = hn::Set(d, selu_scale * selu_alpha);
  for (std::int64_t i = 0; i < stride; i += lanes) {
    const auto y = hn::LoadU(d, result + i);
    const auto slope = hn::IfThenElse(hn::Gt(y, hn::Zero(d)), scale, hn::Add(y, below_scale));
    hn::StoreU(hn::Mul(slope, hn::LoadU(d, gradient + i)), d, gradient + i);
  }
}

void sigmoid_row(float* row, std::int64_t columns, std::int64_t stride, float centre, float inverse_width) {
  constexpr Floats d;
  const FloatVector shift = hn::Set(d, centre);
  const FloatVector factor = hn::Set(d, -inverse_width);
  const FloatVector one = hn::Set(d, 1.0F);
  for (std::int64_t i = 0; i < stride; i += lanes) {
    const auto x = hn::Mul(hn::Sub(hn::LoadU(d, row + i), shift), factor);
    const auto exponent = hn::Min(hn::Max(x, hn::Set(d, least_exponent)), hn::Set(d, -least_exponent));
    hn::StoreU(hn::Div(one, hn::Add(one, hn::Exp(d, exponent))), d, row + i);
  }
  std::fill(row + columns, row + stride, 0.0F);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(relu_row);
HWY_EXPORT(selu_row);
HWY_EXPORT(relu_back_row);
HWY_EXPORT(selu_back_row);
HWY_EXPORT(sigmoid_row);

void relu(MatrixView rows) {
  for (std::int64_t row = 0; row < rows.rows; ++row) HWY_DYNAMIC_DISPATCH(relu_row)(rows.row(row), rows.stride);
}

void selu(MatrixView rows) {
  for (std::int64_t row = 0; row < rows.rows; ++row) HWY_DYNAMIC_DISPATCH(selu_row)(rows.row(row), rows.stride);
}

void relu_backward(ConstMatrixView results, MatrixView gradient) {
  COHORT_CHECK(results.rows == gradient.rows && results.stride == gradient.stride);
  for (std::int64_t row = 0; row < results.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(relu_back_row)(results.row(row), gradient.row(row), results.stride);
  }
}

void selu_backward(ConstMatrixView results, MatrixView gradient) {
  COHORT_CHECK(results.rows == gradient.rows && results.stride == gradient.stride);
  for (std::int64_t row = 0; row < results.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(selu_back_row)(results.row(row), gradient.row(row), results.stride);
  }
}

void sigmoid(MatrixView rows, double centre, double width) {
  COHORT_CHECK(width > 0);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(sigmoid_row)
    (rows.row(row), rows.columns, rows.stride, static_cast<float>(centre), static_cast<float>(1.0 / width));
  }
}

}  // namespace cohort
#endif
