// Wall-clock seconds and the process's memory, for reports; never for results.
#pragma once

#include <chrono>
#include <cstdint>

namespace cohort {

class Timer {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Highest resident set of this process so far, in bytes.
std::int64_t peak_resident_bytes();
/// Memory the system could still give, in bytes (MemAvailable, or the control group's limit where that is lower).
std::int64_t available_memory_bytes();

}  // namespace cohort
