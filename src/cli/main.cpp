// The program: its signals, MPI's life, the command line, and what a failure means for the process.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <sstream>

#include "cli/commands/commands.hpp"
#include "cli/launch.hpp"
#include "cli/outcome.hpp"
#include "cli/output/console.hpp"
#include "cli/output/logging.hpp"
#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "core/error.hpp"
#include "core/nearest_name.hpp"
#include "store/h5.hpp"

namespace {

// CLI11 would only say that a subcommand is required.
void check_command(const CLI::App& program, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands({})) names.push_back(command->get_name());
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return;
  throw cohort::InputError("there is no command " + word + "; the nearest is \"" + cohort::nearest_name(word, names) +
                           "\", and cohort --help lists them all");
}

int command_line(const cohort::Communicator& comm, int argc, char** argv) {
  CLI::App program{
      "Segments of a population of users, from what they did and whom they know.\n"
      "Every command works alone and under mpirun or srun.",
      "cohort"};
  program.set_version_flag("--version",
                           std::string("cohort ") + cohort::version() + " (" + cohort::git_revision() + ")");
  program.require_subcommand(1);
  cohort::add_init_command(program);
  cohort::add_run_command(program);
  cohort::add_prepare_command(program);
  cohort::add_partition_command(program);
  cohort::add_plan_command(program);
  cohort::add_train_command(program);
  cohort::add_segment_command(program);
  cohort::add_profile_command(program);
  cohort::add_explain_command(program);
  cohort::add_evaluate_command(program);
  cohort::add_recommend_command(program);
  cohort::add_assign_command(program);
  cohort::add_progress_command(program);
  cohort::add_info_command(program);
  cohort::add_compare_command(program);
  cohort::add_export_command(program);
  cohort::add_rerun_command(program);
  cohort::add_generate_command(program);
  if (argc > 1) check_command(program, argv[1]);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream message;
    const int code = program.exit(error, out, message);
    if (comm.is_root()) {
      cohort::write_lines(STDOUT_FILENO, out.str());
      cohort::write_lines(STDERR_FILENO, message.str());
    }
    cohort::check_output();
    return code == 0 ? cohort::exit_success : cohort::exit_usage;
  }
  cohort::check_output();
  return cohort::exit_success;
}

}  // namespace

int main(int argc, char** argv) {
  // A closed pipe, and a file larger than the limit (ulimit -f), are errors of writing, which say so.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const cohort::SignalWatch signals;
  const auto tasks = cohort::LaunchedTasks::from_environment();
  cohort::h5::start_hdf5();
  const cohort::MpiEnvironment mpi(&argc, &argv);
  cohort::Communicator::set_last_words(cohort::say_error);
  const auto comm = cohort::Communicator::world();
  if (const auto fault = cohort::launch_fault(comm, tasks); !fault.empty()) {
    if (tasks.index == 0) cohort::say_error(fault);
    return cohort::exit_usage;
  }
  return cohort::end_together(comm, [&] {
    const auto commands = cohort::Communicator::world();
    cohort::need_same_command(commands, argc, argv);
    cohort::work_where_root_does(commands);
    cohort::start_logging(commands);
    cohort::SignalWatch::set_rank(commands.rank());
    return command_line(commands, argc, argv);
  });
}
