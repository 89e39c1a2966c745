#include <nlohmann/json.hpp>

#include "cli/evaluation.hpp"
#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/segments_report.hpp"
#include "core/error.hpp"
#include "core/timer.hpp"

namespace cohort {

namespace {

// Later stages find out too; but only after training.
void check_against_data(const Session& session, const Dataset& dataset) {
  if (session.comm().sum(dataset.holdout.size()) > 0) check_cut_offs(session.config(), dataset.items.total());
  const auto count = session.config().segment.count;
  if (count > dataset.users.total()) {
    throw InputError("segment.count is " + std::to_string(count) + ", but after cleaning there are only " +
                     std::to_string(dataset.users.total()) + " users");
  }
}

void run(const Session& session) {
  const auto& comm = session.comm();
  const Timer timer;
  auto graph = prepare_graph(session);
  check_against_data(session, graph.dataset);
  ShardedGraph sharded;
  {
    const auto blocks = graph_of(session, graph.dataset);
    partition_graph(session, blocks, graph);
    sharded = shard_graph(session, blocks, *graph.partition);
  }
  write_graph(session, graph);
  const auto model = train_model(session, graph, sharded);
  write_model(session, model);
  const auto result = segment_users(session, graph, sharded.graph, model);
  write_segments(session, result);
  say_segments(comm, result);
  if (spdlog::should_log(spdlog::level::info)) say(comm, "\n" + evaluation_table(evaluate_run(session, graph, result)));
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
