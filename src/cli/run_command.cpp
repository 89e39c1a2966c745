#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/segments_report.hpp"
#include "core/timer.hpp"

namespace cohort {

namespace {

void run(const Session& session) {
  const Timer timer;
  const auto result = run_pipeline(session);
  say_segments(session.comm(), result.segments);
  log_memory(session.comm());
  spdlog::info("run: {:.1f} s", timer.seconds());
}

}  // namespace

void add_run_command(CLI::App& program) {
  auto* command = program.add_subcommand("run", "All stages: input in, segments.h5 out");
  const auto options = add_config_options(*command);
  command->callback([options] { run(Session(Communicator::world(), *options)); });
}

}  // namespace cohort
