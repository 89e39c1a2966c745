#include "kernels/distances.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/distances.cpp"
#include <cmath>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

using Doubles = hn::CappedTag<double, group>;
using DoubleVector = hn::Vec<Doubles>;
constexpr std::int64_t double_lanes = static_cast<std::int64_t>(hn::MaxLanes(Doubles()));
constexpr std::int64_t double_vectors = group / double_lanes;

/// a * b + c in float64, rounded once, on every target.
HWY_INLINE DoubleVector fused_double(DoubleVector a, DoubleVector b, DoubleVector c) {
#if HWY_TARGET == HWY_SCALAR
  return DoubleVector(std::fma(a.raw, b.raw, c.raw));
#else
  return hn::MulAdd(a, b, c);
#endif
}

HWY_INLINE DoubleVector widened(const float* from) {
  constexpr hn::Rebind<float, Doubles> narrow;
  return hn::PromoteTo(Doubles(), hn::LoadU(narrow, from));
}

/// The 16 lanes of a group halved pairwise: one order for every vector length.
HWY_INLINE double sum_of_lanes(DoubleVector* sum) {
  for (std::int64_t half = double_vectors / 2; half >= 1; half /= 2) {
    for (std::int64_t v = 0; v < half; ++v) sum[v] = hn::Add(sum[v], sum[v + half]);
  }
  HWY_ALIGN double lane[double_lanes];
  hn::Store(sum[0], Doubles(), lane);
  for (std::int64_t half = double_lanes / 2; half >= 1; half /= 2) {
    for (std::int64_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

double squared_distance_vectors(const float* a, const float* b, std::int64_t stride) {
  DoubleVector sum[double_vectors];
  for (auto& part : sum) part = hn::Zero(Doubles());
  for (std::int64_t i = 0; i < stride; i += group) {
    for (std::int64_t v = 0; v < double_vectors; ++v) {
      const auto difference = hn::Sub(widened(a + i + v * double_lanes), widened(b + i + v * double_lanes));
      sum[v] = fused_double(difference, difference, sum[v]);
    }
  }
  return sum_of_lanes(sum);
}

/// Adding 1.5 * 2^52 to a float64 of at most 2^51 rounds it to a whole number and leaves that in the low bits.
double add_to_groups_vectors(ConstMatrixView rows, const std::int32_t* of, const float* centres, double scale,
                             std::int64_t* sums) {
  constexpr Doubles d;
  constexpr hn::RebindToSigned<Doubles> whole;
  const DoubleVector factor = hn::Set(d, scale);
  const DoubleVector shift = hn::Set(d, 0x1.8p52);
  const auto shift_bits = hn::BitCast(whole, shift);
  DoubleVector distance[double_vectors];
  for (auto& part : distance) part = hn::Zero(d);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const float* const x = rows.row(row);
    const float* const centre = centres + of[row] * rows.stride;
    std::int64_t* const sum = sums + of[row] * rows.stride;
    for (std::int64_t i = 0; i < rows.stride; i += group) {
      for (std::int64_t v = 0; v < double_vectors; ++v) {
        const std::int64_t at = i + v * double_lanes;
        const DoubleVector element = widened(x + at);
        const DoubleVector difference = hn::Sub(element, widened(centre + at));
        distance[v] = fused_double(difference, difference, distance[v]);
        const auto fixed = hn::Sub(hn::BitCast(whole, fused_double(element, factor, shift)), shift_bits);
        hn::StoreU(hn::Add(hn::LoadU(whole, sum + at), fixed), whole, sum + at);
      }
    }
  }
  return sum_of_lanes(distance);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(squared_distance_vectors);
HWY_EXPORT(add_to_groups_vectors);

double squared_distance(const float* a, const float* b, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(squared_distance_vectors)(a, b, stride);
}

double add_to_groups(ConstMatrixView rows, std::span<const std::int32_t> group, ConstMatrixView centres, double scale,
                     std::span<std::int64_t> sums) {
  COHORT_CHECK(rows.stride == centres.stride && rows.stride % 16 == 0);
  COHORT_CHECK(static_cast<std::int64_t>(group.size()) == rows.rows);
  COHORT_CHECK(static_cast<std::int64_t>(sums.size()) == centres.rows * centres.stride);
  return HWY_DYNAMIC_DISPATCH(add_to_groups_vectors)(rows, group.data(), centres.data, scale, sums.data());
}

}  // namespace cohort
#endif
