// Parallel loops whose body may throw: OpenMP ends the process where an exception leaves a parallel region, and nearly
// everything may run out of memory. For code compiled with OpenMP. Local.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

namespace cohort {

/// Carries the first exception that a thread meets out of a parallel region: what may throw runs in run(), and after
/// the region whoever opened it calls rethrow().
class ParallelFailure {
 public:
  /// Safe in any thread.
  template <class Body>
  void run(Body&& body) noexcept {
    try {
      body();
    } catch (...) {
#pragma omp critical(cohort_parallel_failure)
      if (!first_) first_ = std::current_exception();
    }
  }
  /// Nothing if nobody failed.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::exception_ptr first_;
};

/// Calls body(i) for 0..count-1 on `threads` threads, each thread taking the next one that is left. Rethrows, after the
/// loop, the first exception that a thread met; the other calls are made all the same.
template <class Body>
void for_each_in_parallel(std::int64_t count, int threads, Body body) {
  ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::int64_t i = 0; i < count; ++i) failure.run([&] { body(i); });
  failure.rethrow();
}

/// On all threads.
template <class Body>
void for_each_in_parallel(std::int64_t count, Body body) {
  for_each_in_parallel(count, omp_get_max_threads(), body);
}

}  // namespace cohort
