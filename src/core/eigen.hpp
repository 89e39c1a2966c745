// Eigen, for every source that uses it (tests/layers checks that nothing else includes it).
//
// Eigen's functions are inlined into ours, and with them the intrinsics of AVX-512, whose "undefined" vectors GCC 12
// takes for mistakes (-Wmaybe-uninitialized, hundreds of times; GCC bug 105593): a header being a system header does
// not silence what the optimiser finds after inlining. GCC looks up a warning of the optimiser at each place of the
// chain of inlined calls, so it is off here for what passes through Eigen, and on for what is only ours
// (tests/layers/warnings_test.py).
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
