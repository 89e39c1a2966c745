#include <CLI/CLI.hpp>

#include "cli/commands/commands.hpp"
#include "cli/stages/interruption_marker.hpp"
#include "cli/stages/pipeline.hpp"

namespace cohort {

void add_train_command(CLI::App& program) {
  auto* command = program.add_subcommand("train", "Learns the embedding; reads graph.h5, writes model.h5");
  const auto options = add_config_options(*command);
  add_checkpoint_options(*command, options);
  command->callback([options] {
    const Session session(Communicator::world(), *options);
    with_marker(session, [&] {
      const auto graph = load_graph(session, true);
      const auto sharded = shard_graph(session.comm(), graph_of(session, graph.dataset), *graph.partition);
      write_model(session, train_model(session, graph, sharded, model_target(session, graph.dataset)),
                  session.model_path());
    });
  });
}

}  // namespace cohort
