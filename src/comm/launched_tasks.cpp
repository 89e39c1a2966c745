#include "comm/launched_tasks.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace cohort {

namespace {

struct Launcher {
  const char* count;
  const char* index;
};

// Open MPI's first: where its mpirun starts ranks inside a Slurm step, the step's tasks are its daemons.
constexpr std::array launchers{Launcher{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                               Launcher{"PMI_SIZE", "PMI_RANK"}, Launcher{"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},
                               Launcher{"MPI_LOCALNRANKS", "MPI_LOCALRANKID"},
                               Launcher{"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};

std::int64_t number_in(const char* variable, std::int64_t otherwise) {
  const char* const text = std::getenv(variable);
  std::int64_t number = 0;
  if (!text || std::from_chars(text, text + std::strlen(text), number).ec != std::errc()) return otherwise;
  return number;
}

}  // namespace

LaunchedTasks LaunchedTasks::from_environment() {
  for (const auto& launcher : launchers) {
    if (const auto count = number_in(launcher.count, 0); count > 0) {
      if (count > 1 || std::string(launcher.count) == "OMPI_COMM_WORLD_SIZE") {
        return {count, number_in(launcher.index, 0), launcher.count};
      }
    }
  }
  return {};
}

}  // namespace cohort
