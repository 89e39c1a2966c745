#include "cli/launch.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "cli/version.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/words.hpp"

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

// What must be the same, part by part; parts are joined by zeros, which no argument holds.
std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text.append(part).push_back('\0');
  return text;
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end = 0; (end = text.find('\0', begin)) != std::string::npos; begin = end + 1) {
    parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

std::string quoted(const std::vector<std::string>& parts, std::size_t part) {
  return part < parts.size() ? '"' + parts[part] + '"' : "nothing";
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

std::string launch_fault(const Communicator& comm, const LaunchedTasks& tasks) {
  if (tasks.count <= comm.size()) return "";
  return counted(tasks.count, "task") + noun(tasks.count, " was", " were") + " started (" + tasks.variable +
         "), but MPI has joined " + std::to_string(comm.size()) +
         ": each would be a run of its own in the same directory; start Cohort by the " +
         "mpirun of the MPI that it was built with (" + Communicator::library() +
         "), or under Slurm by srun --mpi=pmix";
}

void need_same_command(const Communicator& comm, int argc, const char* const* argv) {
  std::vector<std::string> mine;
  comm.attempt([&] {
    mine = {version() + std::string(" (") + git_revision() + ")"};
    for (int i = 1; i < argc; ++i) mine.emplace_back(argv[i]);
  });
  const auto root_text = comm.broadcast(joined(mine));
  comm.attempt([&] {
    const auto at_root = parts_of(root_text);
    if (mine == at_root) return;
    const auto who = "rank " + std::to_string(comm.rank()) + ", on " + host_name() + ",";
    if (mine.front() != at_root.front()) {
      throw InputError(who + " is cohort " + mine.front() + ", but rank 0 is cohort " + at_root.front() +
                       "; all ranks must run the same program");
    }
    std::size_t part = 1;
    while (part < mine.size() && part < at_root.size() && mine[part] == at_root[part]) ++part;
    throw InputError(who + " was started with other arguments than rank 0: it has " + quoted(mine, part) +
                     " where rank 0 has " + quoted(at_root, part) + "; start all ranks with the same command line");
  });
}

void work_where_root_does(const Communicator& comm) {
  std::error_code error;
  const auto here = std::filesystem::current_path(error).string();
  const auto root = comm.broadcast(here);
  // A rank that cannot go there finds out at the first relative path; with absolute ones it does not matter.
  if (!root.empty() && root != here) std::filesystem::current_path(root, error);
}

}  // namespace cohort
