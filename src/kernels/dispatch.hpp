// Which vector instructions the kernels run on, for whoever starts a process and whoever records how a result was made.
//
// Every kernel is compiled for several targets (on x86-64: AVX3, that is AVX-512; AVX2 with FMA; SCALAR) and picks the
// best that the CPU has at the first call. All of them round alike, operation by operation, so that a target changes
// the speed and not the bits; the ranks of a mixed cluster still agree on the lowest common one, as a result states it.
#pragma once

#include <cstdint>
#include <string>

namespace cohort {

/// The targets that this binary holds and this CPU runs, one bit each (Highway's numbering, lower is better), as
/// restrict_vector_targets left them. Never 0; the and-reduction over ranks is never 0 between CPUs of one kind of
/// machine, since each holds SCALAR. Local.
std::int64_t vector_targets();

/// From now on the kernels use the best target of `mask` only; -1 lifts the restriction. Throws InternalError where
/// `mask` holds no target that can run here. Before other threads start. Local.
void restrict_vector_targets(std::int64_t mask);

/// Name of the target in use: "AVX3", "AVX2", "NEON", "SCALAR".
std::string vector_target();

}  // namespace cohort
