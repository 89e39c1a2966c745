// How the ranks end together, whatever happened on any of them.
#pragma once

#include <functional>
#include <string>

#include "comm/communicator.hpp"

namespace cohort {

enum ExitCode : int { exit_success = 0, exit_failure = 1, exit_usage = 2, exit_interrupted = 3 };

/// The line on standard error that a run ends with. Local.
void say_error(const std::string& message);
void say_interrupted(const std::string& how_to_go_on);

/// Seconds that a rank whose `body` failed waits for the others.
struct Patience {
  double alone = 10;      ///< they may wait for it in another call
  double together = 600;  ///< they have the same failure or request, but one of them, which writes or removes a file, a
                          ///< slow file system
};

/// Runs `body` and returns the program's exit code, the same on all ranks: what body returned, 2 after an InputError, 3
/// where it was interrupted, 1 after any other exception. The message is printed once, by the lowest rank that failed.
/// A rank that failed while others wait for it in a collective call cannot reach them: when its patience ends, it
/// prints its message and ends all ranks. `comm` must be used for nothing else. Collective.
int end_together(const Communicator& comm, const std::function<int()>& body, const Patience& patience = {});

}  // namespace cohort
