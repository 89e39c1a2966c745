#include "cli/pipeline.hpp"

namespace cohort {

void add_prepare_command(CLI::App& program) {
  auto* command = program.add_subcommand("prepare", "Reads and cleans the input; writes graph.h5");
  const auto options = add_config_options(*command);
  command->callback([options] {
    const Session session(Communicator::world(), *options);
    write_graph(session, prepare_graph(session));
  });
}

}  // namespace cohort
