#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/stages/checkpoints.hpp"
#include "cli/stages/pipeline.hpp"

namespace cohort {

void add_prepare_command(CLI::App& program) {
  auto* command = program.add_subcommand("prepare", "Reads and cleans the input; writes graph.h5");
  const auto options = add_config_options(*command);
  const auto dry_run = std::make_shared<bool>(false);
  command->add_flag("--dry-run", *dry_run,
                    "Only say how the input is read, with the counts after cleaning; write nothing");
  command->callback([options, dry_run] {
    const Session session(Communicator::world(), *options,
                          *dry_run ? OutputDirectory::untouched : OutputDirectory::made);
    if (*dry_run) {
      say(session.comm(), describe_input(session));
      return;
    }
    const auto graph = prepare_graph(session);
    warn_of_other_model(session, graph);
    write_graph(session, graph);
  });
}

}  // namespace cohort
