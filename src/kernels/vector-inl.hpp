// What the kernels share on each target: the vector type and the fused multiply-add. Included once per target, after
// foreach_target.h.
#if defined(COHORT_KERNELS_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef COHORT_KERNELS_VECTOR_INL
#undef COHORT_KERNELS_VECTOR_INL
#else
#define COHORT_KERNELS_VECTOR_INL
#endif

#include <cmath>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Matrices are padded to groups of 16 floats; a group is `group_vectors` vectors of `lanes`.
constexpr std::int64_t group = 16;
using Floats = hn::CappedTag<float, group>;
using FloatVector = hn::Vec<Floats>;
constexpr std::int64_t lanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
constexpr std::int64_t group_vectors = group / lanes;

/// a * b + c, rounded once, on every target.
HWY_INLINE FloatVector fused(FloatVector a, FloatVector b, FloatVector c) {
#if HWY_TARGET == HWY_SCALAR
  return FloatVector(std::fma(a.raw, b.raw, c.raw));
#else
  return hn::MulAdd(a, b, c);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#endif
