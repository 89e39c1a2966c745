#include "cli/launch.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "cli/version.hpp"
#include "comm/same_files.hpp"
#include "comm/share.hpp"
#include "core/error.hpp"
#include "core/words.hpp"

namespace cohort {

namespace {

std::string quoted(const std::vector<std::string>& parts, std::size_t part) {
  return part < parts.size() ? '"' + parts[part] + '"' : "nothing";
}

}  // namespace

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
  auto at_root = mine;
  share(comm, at_root);
  comm.attempt([&] {
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
