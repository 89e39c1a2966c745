#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/segments_report.hpp"
#include "cli/stages/evaluation.hpp"
#include "cli/stages/interruption_marker.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/stopwatch.hpp"

namespace cohort {

namespace {

void run(const Session& session) {
  const auto& comm = session.comm();
  const Stopwatch stopwatch;
  const auto result = run_pipeline(session);
  say_segments(comm, result.segments);
  if (spdlog::should_log(spdlog::level::info)) {
    std::string text = "\n";
    const auto& descriptions = result.segments.profiles->description;
    for (std::size_t s = 0; s < descriptions.size(); ++s) {
      text += fmt::format("segment {}: {}\n", number_of(result.segments.segments.number, static_cast<std::int64_t>(s)),
                          descriptions[s]);
    }
    say(comm, text + "\n" + evaluation_table(evaluate_run(session, result.graph, result.segments)));
  }
  log_memory(comm);
  spdlog::info("run: {:.1f} s", stopwatch.seconds());
}

}  // namespace

void add_run_command(CLI::App& program) {
  auto* command =
      program.add_subcommand("run", "All stages: input in, segments.h5 with profiles and recommendations out");
  const auto options = add_config_options(*command);
  add_checkpoint_options(*command, options);
  command->callback([options] {
    const Session session(Communicator::world(), *options);
    with_marker(session, [&] { run(session); });
  });
}

}  // namespace cohort
