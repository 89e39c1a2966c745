#include "kernels/score_bars.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/score_bars.cpp"
#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

using Indices = hn::RebindToSigned<Floats>;

std::int64_t not_below_vectors(const float* score, std::int64_t count, float least, std::int32_t* at) {
  constexpr Floats d;
  constexpr Indices di;
  const FloatVector bar = hn::Set(d, least);
  std::int64_t found = 0;
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    for (; j + 4 * lanes <= count; j += 4 * lanes) {  // mostly there is none
      const auto below01 = hn::And(hn::Lt(hn::LoadU(d, score + j), bar), hn::Lt(hn::LoadU(d, score + j + lanes), bar));
      const auto below23 =
          hn::And(hn::Lt(hn::LoadU(d, score + j + 2 * lanes), bar), hn::Lt(hn::LoadU(d, score + j + 3 * lanes), bar));
      if (!hn::AllTrue(d, hn::And(below01, below23))) break;
    }
    if (j + lanes > count) break;
    const auto kept = hn::Not(hn::Lt(hn::LoadU(d, score + j), bar));
    if (hn::AllFalse(d, kept)) continue;
    found += static_cast<std::int64_t>(
        hn::CompressBlendedStore(hn::Iota(di, static_cast<std::int32_t>(j)), hn::RebindMask(di, kept), di, at + found));
  }
  for (; j < count; ++j) {
    if (!(score[j] < least)) at[found++] = static_cast<std::int32_t>(j);
  }
  return found;
}

void lengths_left_vectors(ConstMatrixView coordinates, const float* square, float slack, float* left,
                          std::int64_t count) {
  constexpr Floats d;
  const auto whole = hn::Set(d, 1.0F + slack);
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    auto rest = hn::Mul(whole, hn::LoadU(d, square + j));
    for (std::int64_t r = 0; r < coordinates.rows; ++r) {
      const auto x = hn::LoadU(d, coordinates.row(r) + j);
      rest = hn::NegMulAdd(x, x, rest);
    }
    hn::StoreU(hn::Sqrt(hn::Max(hn::Zero(d), rest)), d, left + j);
  }
  for (; j < count; ++j) {
    float rest = (1.0F + slack) * square[j];
    for (std::int64_t r = 0; r < coordinates.rows; ++r) rest -= coordinates.row(r)[j] * coordinates.row(r)[j];
    left[j] = std::sqrt(std::max(0.0F, rest));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(not_below_vectors);
HWY_EXPORT(lengths_left_vectors);

std::int64_t not_below(std::span<const float> scores, float least, std::span<std::int32_t> at) {
  COHORT_CHECK(std::ssize(at) >= (std::ssize(scores) + 15) / 16 * 16);
  return HWY_DYNAMIC_DISPATCH(not_below_vectors)(scores.data(), std::ssize(scores), least, at.data());
}

void lengths_left(ConstMatrixView coordinates, std::span<const float> square, float slack, std::span<float> left) {
  COHORT_CHECK(left.size() == square.size() && coordinates.stride >= std::ssize(left));
  HWY_DYNAMIC_DISPATCH(lengths_left_vectors)(coordinates, square.data(), slack, left.data(), std::ssize(left));
}

}  // namespace cohort
#endif
