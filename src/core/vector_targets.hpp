// First include of every source that uses Highway: for which targets it is compiled.
#pragma once

// All that this compiler can make, the fallback included: with -march=native too, a run can be restricted, and one
// machine's tests reach every target.
#define HWY_COMPILE_ALL_ATTAINABLE
// Left out: x86 without fused multiply-add (it would round otherwise; those CPUs run the fallback, which does not), and
// vectors whose length the compiler does not know (SVE, RVV: they cannot be held in arrays; SVE machines run NEON). And
// AVX3_DL, of which no kernel uses what it adds to AVX3: Highway 1.0 takes it for the baseline of -march=native on the
// CPUs that have all of it (Sapphire Rapids, Zen 5), but not for one of its targets, which is an #error of its own.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// One fallback, SCALAR, whatever the compiler's version.
#define HWY_BROKEN_EMU128 1
