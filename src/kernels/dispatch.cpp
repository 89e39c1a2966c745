#include "kernels/dispatch.hpp"

#include "kernels/vector_targets.hpp"

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
  return hwy::SupportedTargets() & HWY_TARGETS;
}

void restrict_vector_targets(std::int64_t mask) {
  hwy::DisableTargets(0);
  COHORT_CHECK((vector_targets() & mask) != 0, "no vector target is left");
  hwy::DisableTargets(~mask);
}

std::string vector_target() {
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(this_target)());
}

}  // namespace cohort
#endif
