// Signals that ask a run to end, and file calls that do not come back: one thread waits for both, while the program
// computes.
//
// The first SIGTERM, SIGINT, SIGUSR1 or SIGHUP asks for an end where nothing is lost (core/interruption.hpp); where the
// program cannot look for ten seconds and has nothing to lose (core/interruption.hpp: Abandonable), the thread ends it.
// A second one other than SIGUSR1 ends it at once, with 128 + its number; SIGUSR1 before it, or the same SIGTERM by two
// ways, does not count as the first. A signal that was ignored when the program started (nohup) stays
// ignored.
#pragma once

#include <thread>

namespace cohort {

class SignalWatch {
 public:
  /// Blocks the signals in this thread and all that it will start, and starts the one that waits for them. Exactly one,
  /// in main, before MPI is initialised: threads of MPI's would take them otherwise. Children get the mask of before.
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// Who speaks for this process; rank 0 says on the log that a signal came. After start_logging().
  static void set_rank(int rank);
  /// A file call (core/file_call.hpp) that moves no byte for so long ends all ranks, with a message that names it; 0:
  /// never. Ten minutes unless set.
  static void set_stall_minutes(double minutes);

 private:
  std::thread thread_;
};

}  // namespace cohort
