#include "cli/stages/pipeline.hpp"

#include "cli/stages/checkpoints.hpp"
#include "cli/stages/count_stage.hpp"
#include "cli/stages/initial_stage.hpp"
#include "cli/stages/previous_stage.hpp"

namespace cohort {

namespace {

// The stages from the partition to the segments; what only they need is gone afterwards.
SegmentsFile segments_of(const Session& session, GraphFile& graph) {
  ShardedGraph sharded;
  {
    const auto blocks = graph_of(session, graph.dataset);
    partition_graph(session, blocks, graph);
    sharded = shard_graph(session.comm(), blocks, *graph.partition);
  }
  // Before graph.h5 is another one than model.h5 was trained on.
  check_checkpoint(session, &graph, model_target(session, graph.dataset));
  write_graph(session, graph);
  session.comm().stop_if_interrupted();
  const auto model = train_model(session, graph, sharded, model_target(session, graph.dataset));
  write_model(session, model, session.model_path());
  session.comm().stop_if_interrupted();
  return segment_users(session, graph, sharded.graph, model);
}

}  // namespace

RunResult run_pipeline(const Session& session, std::int64_t level) {
  RunResult result;
  // What was started from another run goes on without it.
  if (!check_checkpoint(session, nullptr, {session.model_path()})) check_initial(session);
  result.graph = prepare_graph(session);
  const auto& dataset = result.graph.dataset;
  // Later stages find out too, but only after training.
  check_count(session.config(), dataset.users.total());
  read_previous(session, dataset.users);
  // Read before training, so that what is wrong with them is said before it.
  const auto attributes = read_attribute_tables(session, dataset);
  const auto allowed = read_allowed_items(session, dataset);
  result.segments = segments_of(session, result.graph);
  session.comm().stop_if_interrupted();
  profile_result(session, result.graph, attributes, result.segments);
  if (dataset.has_items()) recommend_items(session, result.graph, allowed, result.segments, level);
  session.comm().stop_if_interrupted();
  write_segments(session, result.segments);
  return result;
}

}  // namespace cohort
