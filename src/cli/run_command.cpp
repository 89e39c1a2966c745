#include <nlohmann/json.hpp>

#include "cli/evaluation.hpp"
#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/segments_report.hpp"
#include "core/timer.hpp"

namespace cohort {

namespace {

void run(const Session& session) {
  const auto& comm = session.comm();
  const Timer timer;
  const auto result = run_pipeline(session);
  say_segments(comm, result.segments);
  if (spdlog::should_log(spdlog::level::info)) {
    say(comm, "\n" + evaluation_table(evaluate_run(session, result.graph, result.segments)));
  }
  log_memory(comm);
  spdlog::info("run: {:.1f} s", timer.seconds());
}

}  // namespace

void add_run_command(CLI::App& program) {
  auto* command = program.add_subcommand("run", "All stages: input in, segments.h5 out");
  const auto options = add_config_options(*command);
  command->callback([options] { run(Session(Communicator::world(), *options)); });
}

}  // namespace cohort
