// First include of every kernel source: for which targets Highway compiles it.
#pragma once

// All that this compiler can make, the fallback included: with -march=native too, a run can be restricted, and one
// machine's tests reach every target.
#define HWY_COMPILE_ALL_ATTAINABLE
// Left out: x86 without fused multiply-add (it would round otherwise; those CPUs run the fallback, which does not), and
// vectors whose length the compiler does not know (SVE, RVV: they cannot be held in arrays; SVE machines run NEON).
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// One fallback, SCALAR, whatever the compiler's version.
#define HWY_BROKEN_EMU128 1
