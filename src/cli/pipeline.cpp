#include "cli/pipeline.hpp"

#include "cli/evaluation.hpp"
#include "core/error.hpp"

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

}  // namespace

RunResult run_pipeline(const Session& session) {
  RunResult result;
  result.graph = prepare_graph(session);
  check_against_data(session, result.graph.dataset);
  ShardedGraph sharded;
  {
    const auto blocks = graph_of(session, result.graph.dataset);
    partition_graph(session, blocks, result.graph);
    sharded = shard_graph(session, blocks, *result.graph.partition);
  }
  write_graph(session, result.graph);
  const auto model = train_model(session, result.graph, sharded);
  write_model(session, model);
  result.segments = segment_users(session, result.graph, sharded.graph, model);
  write_segments(session, result.segments);
  return result;
}

}  // namespace cohort
