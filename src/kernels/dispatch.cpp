#include "kernels/dispatch.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dispatch.cpp"
#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

std::int64_t this_target() {
  return HWY_TARGET;
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(this_target);

std::int64_t vector_targets() {
  const std::int64_t targets = hwy::SupportedTargets();
  // Highway 1.0.3 chooses among the unrestricted targets inside SupportedTargets: choose again.
  hwy::GetChosenTarget().Update(targets);
  return targets & HWY_TARGETS;
}

void restrict_vector_targets(std::int64_t mask) {
  hwy::DisableTargets(0);
  const bool any_left = (vector_targets() & mask) != 0;
  if (any_left) hwy::DisableTargets(~mask);
  COHORT_CHECK(any_left, "no vector target is left");
}

std::string vector_target() {
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(this_target)());
}

}  // namespace cohort
#endif
