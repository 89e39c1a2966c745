#include "kernels/softmax.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
// After foreach_target.h, as every header that is compiled once a target.
#include "hwy/contrib/math/math-inl.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

double softmax_row(float* row, std::int64_t columns, std::int64_t stride, float inverse_temperature) {
  constexpr Floats d;
  // The padding takes no part in the maximum, nor in the sum: it is made the least number first.
  std::fill(row + columns, row + stride, -std::numeric_limits<float>::infinity());
  FloatVector largest = hn::Set(d, -std::numeric_limits<float>::infinity());
  for (std::int64_t i = 0; i < stride; i += lanes) largest = hn::Max(largest, hn::LoadU(d, row + i));
  const float maximum = hn::GetLane(hn::MaxOfLanes(d, largest));
  const FloatVector shift = hn::Set(d, maximum);
  const FloatVector factor = hn::Set(d, inverse_temperature);
  FloatVector sum[group_vectors];
  for (auto& part : sum) part = hn::Zero(d);
  for (std::int64_t i = 0; i < stride; i += group) {
    for (std::int64_t v = 0; v < group_vectors; ++v) {
      float* const at = row + i + v * lanes;
      // exp(-104) is no float any more; the kernel's polynomial needs a finite argument.
      const auto exponent = hn::Max(hn::Mul(hn::Sub(hn::LoadU(d, at), shift), factor), hn::Set(d, -104.0F));
      const auto value = hn::Exp(d, exponent);
      sum[v] = hn::Add(sum[v], value);
      hn::StoreU(value, d, at);
    }
  }
  HWY_ALIGN float part[group];
  for (std::int64_t v = 0; v < group_vectors; ++v) hn::Store(sum[v], d, part + v * lanes);
  double total = 0;
  for (const float value : part) total += static_cast<double>(value);
  // exp(-104) is the smallest denormal or zero: what the padding added to the sum is lost in its last bit.
  std::fill(row + columns, row + stride, 0.0F);
  const FloatVector scale = hn::Set(d, static_cast<float>(1.0 / total));
  for (std::int64_t i = 0; i < stride; i += lanes) hn::StoreU(hn::Mul(scale, hn::LoadU(d, row + i)), d, row + i);
  return std::log(total) + static_cast<double>(maximum) * static_cast<double>(inverse_temperature);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(softmax_row);

void softmax_rows(MatrixView scores, double temperature, std::span<double> log_sum) {
  COHORT_CHECK(scores.columns >= 1 && temperature > 0 && std::ssize(log_sum) >= scores.rows);
  const auto inverse = static_cast<float>(1.0 / temperature);
  for (std::int64_t row = 0; row < scores.rows; ++row) {
    log_sum[row] = HWY_DYNAMIC_DISPATCH(softmax_row)(scores.row(row), scores.columns, scores.stride, inverse);
  }
}

}  // namespace cohort
#endif
