#include "cli/checkpoints.hpp"
#include "cli/pipeline.hpp"

namespace cohort {

void add_prepare_command(CLI::App& program) {
  auto* command = program.add_subcommand("prepare", "Reads and cleans the input; writes graph.h5");
  const auto options = add_config_options(*command);
  command->callback([options] {
    const Session session(Communicator::world(), *options);
    const auto graph = prepare_graph(session);
    warn_of_other_model(session, graph);
    write_graph(session, graph);
  });
}

}  // namespace cohort
