// What a launcher of MPI programs says of itself, in the environment of the processes that it starts.
#pragma once

#include <cstdint>
#include <string>

namespace cohort {

/// What the launcher told this process of in its environment. To be read before MPI is initialised, which changes it.
struct LaunchedTasks {
  std::int64_t count = 1;  ///< tasks that were started together
  std::int64_t index = 0;  ///< this one among them
  std::string variable;    ///< that says so

  /// Local.
  static LaunchedTasks from_environment();
};

}  // namespace cohort
