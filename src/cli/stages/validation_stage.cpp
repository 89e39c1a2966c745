#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "recommend/blend.hpp"

namespace cohort {

namespace {

// Nothing is held back.
Validation without_validation(const Communicator& comm, const Dataset& dataset) {
  Validation result;
  comm.attempt([&] {
    result.held.left = dataset.interactions;
    result.held.pairs.row_begin.assign(dataset.interactions.row_begin.size(), 0);
  });
  return result;
}

}  // namespace

Validation learn_validation(const Session& session, const GraphFile& graph, const SegmentsFile& trained_on_all) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  const Stopwatch stopwatch;
  Validation result;
  result.held = hold_back(comm, dataset.interactions, dataset.users.distribution, dataset.items.distribution,
                          static_cast<std::uint64_t>(session.config().train.seed));
  const auto held_back = comm.sum(result.held.pairs.size());
  if (held_back == 0) return result;
  if (!graph.partition) {
    throw InputError(session.graph_path() + " has no partition, which training the embedding that recommendations " +
                     "are chosen with needs; run `cohort partition` first, or set recommend.strategy to personal");
  }
  spdlog::info("validate: an embedding without {}, to choose recommendations with, as in training",
               counted(held_back, "interaction"));
  GraphFile left;
  left.provenance = graph.provenance;
  comm.attempt([&] {
    left.dataset.users = dataset.users;
    left.dataset.items = dataset.items;
    left.dataset.interactions = result.held.left;
    left.dataset.social = dataset.social;
    left.dataset.user_features = dataset.user_features;
    left.dataset.item_features = dataset.item_features;
    left.partition = graph.partition;
  });
  if (dataset.users_alone) join_users(session, left.dataset);
  const TrainTarget target{session.validation_path(), trained_on_all.epochs, 0, true, trained_on_all.history.choice};
  const auto sharded = shard_graph(comm, graph_of(session, left.dataset), *left.partition);
  Segments segments;
  try {
    const auto model = train_model(session, left, sharded, target);
    write_model(session, model, target.path);
    segments = cluster_users(session, left.dataset, sharded.graph, model, std::ssize(trained_on_all.segments.size));
  } catch (const TooLittleError& error) {
    spdlog::warn("validate: what is left is too little, so nothing is held back to choose by: {}", error.what());
    return without_validation(comm, dataset);
  }
  result.users = std::move(segments.users);
  result.items = std::move(segments.items);
  result.segment = std::move(segments.segment);
  result.segments = static_cast<std::int32_t>(segments.centroid.rows());
  for (auto& level : segments.levels) result.above.push_back(std::move(level.of_finest));
  spdlog::info("validate: {:.1f} s", stopwatch.seconds());
  return result;
}

}  // namespace cohort
