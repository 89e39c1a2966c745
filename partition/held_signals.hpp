// Signals kept away from METIS, which traps SIGTERM and SIGABRT during a call and leaves it by longjmp: a scheduler's
// SIGTERM would look like a failure of METIS, and a failure of METIS like a SIGTERM. In the program a thread of its own
// takes SIGTERM in any case (cli/signals.hpp).
#pragma once

#include <csignal>

namespace cohort {

/// Blocks SIGTERM and SIGABRT in this thread, from construction to release() or destruction.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  /// Lets signals through again. One that came from elsewhere meanwhile is delivered now, as if it had just come; one
  /// that this process raised itself is swallowed and makes the result true.
  bool release();

 private:
  sigset_t held_{};
  sigset_t before_{};
  bool holding_ = true;
};

}  // namespace cohort
