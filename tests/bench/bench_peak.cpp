// The rate of fused multiply-adds that the processor reaches without memory, on the vector target in use.
#include "bench_areas.hpp"
#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench_peak.cpp"
#include <utility>

#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

template <std::size_t... chain>
HWY_INLINE double fused_chains(std::int64_t iterations, std::index_sequence<chain...>) {
  constexpr Floats d;
  const FloatVector factor = hn::Set(d, 0.5F);
  FloatVector sum[] = {hn::Set(d, static_cast<float>(chain))...};
  for (std::int64_t i = 0; i < iterations; ++i) ((sum[chain] = fused(sum[chain], factor, factor)), ...);
  float result = 0;
  ((result += hn::GetLane(sum[chain])), ...);
  const double flops = 2.0 * static_cast<double>(iterations) * sizeof...(chain) * lanes;
  return result > 0 ? flops : 0;  // every chain tends to 1: the result is needed, the sums are computed
}

double run_chains(std::int64_t iterations) {
  return fused_chains(iterations, std::make_index_sequence<12>());
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(run_chains);

double bench::run_fused_chains(std::int64_t iterations) {
  return HWY_DYNAMIC_DISPATCH(run_chains)(iterations);
}

}  // namespace cohort
#endif
