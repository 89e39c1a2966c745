#include "kernels/counts.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/counts.cpp"
#include <bit>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

template <typename Count>
std::int64_t not_below_vectors(const Count* count, std::int64_t size, Count least, std::int32_t* at) {
  constexpr hn::CappedTag<Count, 64> d;  // a mask of which is one word
  const auto width = static_cast<std::int64_t>(hn::Lanes(d));
  const auto bar = hn::Set(d, least);
  std::int64_t found = 0;
  std::int64_t j = 0;
  for (; j + 4 * width <= size; j += 4 * width) {
    const auto largest = hn::Max(hn::Max(hn::LoadU(d, count + j), hn::LoadU(d, count + j + width)),
                                 hn::Max(hn::LoadU(d, count + j + 2 * width), hn::LoadU(d, count + j + 3 * width)));
    if (hn::AllFalse(d, hn::Eq(hn::Max(largest, bar), largest))) continue;  // mostly there is none
    for (std::int64_t part = j; part < j + 4 * width; part += width) {
      const auto counts = hn::LoadU(d, count + part);
      std::uint64_t kept = 0;
      hn::StoreMaskBits(d, hn::Eq(hn::Max(counts, bar), counts), reinterpret_cast<std::uint8_t*>(&kept));
      for (; kept != 0; kept &= kept - 1) at[found++] = static_cast<std::int32_t>(part + std::countr_zero(kept));
    }
  }
  for (; j < size; ++j) {
    if (count[j] >= least) at[found++] = static_cast<std::int32_t>(j);
  }
  return found;
}

std::int64_t bytes_not_below(const std::uint8_t* count, std::int64_t size, std::uint8_t least, std::int32_t* at) {
  return not_below_vectors(count, size, least, at);
}

std::int64_t words_not_below(const std::uint16_t* count, std::int64_t size, std::uint16_t least, std::int32_t* at) {
  return not_below_vectors(count, size, least, at);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(bytes_not_below);
HWY_EXPORT(words_not_below);

std::int64_t not_below(std::span<const std::uint8_t> counts, std::uint8_t least, std::span<std::int32_t> at) {
  COHORT_CHECK(at.size() >= counts.size());
  return HWY_DYNAMIC_DISPATCH(bytes_not_below)(counts.data(), std::ssize(counts), least, at.data());
}

std::int64_t not_below(std::span<const std::uint16_t> counts, std::uint16_t least, std::span<std::int32_t> at) {
  COHORT_CHECK(at.size() >= counts.size());
  return HWY_DYNAMIC_DISPATCH(words_not_below)(counts.data(), std::ssize(counts), least, at.data());
}

}  // namespace cohort
#endif
