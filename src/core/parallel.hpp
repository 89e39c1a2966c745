// A parallel loop whose body may throw: OpenMP ends the process where an exception leaves a parallel region. For code
// compiled with OpenMP. Local.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

namespace cohort {

/// Calls body(i) for 0..count-1 on `threads` threads, each thread taking the next one that is left. Rethrows, after the loop,
/// the first exception that a thread met; the other calls are made all the same.
template <class Body>
void for_each_in_parallel(std::int64_t count, int threads, Body body) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(cohort_for_each_in_parallel)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// On all threads.
template <class Body>
void for_each_in_parallel(std::int64_t count, Body body) {
  for_each_in_parallel(count, omp_get_max_threads(), body);
}

}  // namespace cohort
