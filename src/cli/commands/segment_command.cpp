#include <CLI/CLI.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/segments_report.hpp"
#include "cli/stages/pipeline.hpp"

namespace cohort {

void add_segment_command(CLI::App& program) {
  auto* command =
      program.add_subcommand("segment", "Clusters the users; reads graph.h5 and model.h5, writes segments.h5");
  const auto options = add_config_options(*command);
  command->callback([options] {
    const Session session(Communicator::world(), *options);
    const auto graph = load_graph(session, true);
    const auto model = load_model(session, graph, session.model_path(), ModelPart::trained);
    const auto sharded = shard_graph(session.comm(), graph_of(session, graph.dataset), *graph.partition);
    const auto result = segment_users(session, graph, sharded.graph, model);
    write_segments(session, result);
    say_segments(session.comm(), result);
  });
}

}  // namespace cohort
