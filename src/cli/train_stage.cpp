#include <fmt/format.h>

#include "cli/checkpoints.hpp"
#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/report.hpp"
#include "core/error.hpp"
#include "core/timer.hpp"
#include "graph/reorder.hpp"
#include "store/graph_hash.hpp"
#include "train/positives.hpp"
#include "train/trainer.hpp"

namespace cohort {

namespace {

std::string in_words(const EpochStats& epoch, std::int64_t epochs) {
  return fmt::format("epoch {}/{}: loss {:.6f}, {:.2f} s, halo {}, waiting {:.0f} %", epoch.epoch, epochs, epoch.loss,
                     epoch.seconds, in_bytes(epoch.halo_bytes),
                     epoch.seconds > 0 ? 100 * epoch.waiting_seconds / epoch.seconds : 0.0);
}

// What training left in the order of shards, in blocks of nodes; `loss` of the epochs before these.
ModelState in_blocks(const Communicator& comm, const ShardGraph& graph, const TrainView& trained,
                     std::vector<double> loss) {
  const NodeRoute route(comm, graph, Distribution::even(graph.users + graph.items, comm.size()));
  ModelState state;
  state.epochs = trained.epochs;
  state.embedding = route.to_blocks(trained.embedding);
  state.parameters = route.to_blocks(trained.parameters);
  state.first_moment = route.to_blocks(trained.first_moment);
  state.second_moment = route.to_blocks(trained.second_moment);
  state.loss = std::move(loss);
  for (const auto& epoch : trained.history) state.loss.push_back(epoch.loss);
  return state;
}

TrainState in_shards(const Communicator& comm, const ShardGraph& graph, const ModelState& model) {
  const NodeRoute route(comm, graph, Distribution::even(graph.users + graph.items, comm.size()));
  return {route.to_shards(model.parameters.view()), route.to_shards(model.first_moment.view()),
          route.to_shards(model.second_moment.view()), model.epochs};
}

}  // namespace

TrainTarget model_target(const Session& session) {
  return {session.model_path(), session.config().train.epochs, session.config().train.minutes};
}

ModelFile train_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded,
                      const TrainTarget& target) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const Timer timer;
  const auto positives = positives_of(comm, graph.dataset, sharded);
  spdlog::info("train: {} layers, {} columns, {} positives, {} triples a step", config.model.layers, config.model.dim,
               with_commas(positives.total), with_commas(batch_size(config.train.batch, positives.total)));

  ModelFile model;
  model.shards = sharded.graph.layout.shards();
  model.provenance = session.provenance(graph.provenance.inputs);
  model.graph_hash = graph_hash(comm, graph.dataset);
  model.partition_hash = partition_hash(comm, *graph.partition);
  model.history = graph.history;
  model.history.traffic["owned"] = comm.all_gather(sharded.graph.owned());
  model.history.traffic["ghosts"] = comm.all_gather(std::ssize(sharded.graph.ghost));

  TrainOptions options;
  options.model = config.model;
  options.train = config.train;
  options.train.epochs = target.epochs;
  options.train.minutes = target.minutes;
  options.threads = static_cast<int>(session.threads());
  TrainState initial;
  std::vector<double> earlier_loss;
  if (const auto earlier = load_checkpoint(session, graph, target)) {
    initial = in_shards(comm, sharded.graph, earlier->model);
    earlier_loss = earlier->model.loss;
    options.initial = &initial;
    spdlog::info("  going on after epoch {} of {}", initial.epochs, target.path);
  }
  const auto result = [&] {
    Progress progress(comm, target.epochs);
    options.on_epoch = [&](const EpochStats& epoch) { progress.step(epoch.epoch, in_words(epoch, target.epochs)); };
    options.on_checkpoint = [&](const TrainView& view) {
      model.model = in_blocks(comm, sharded.graph, view, earlier_loss);
      write_model_file(comm, target.path, model);
    };
    return train(comm, sharded.graph, sharded.directory, positives, options);
  }();
  model.model = in_blocks(comm, sharded.graph,
                          {result.embedding.view(), result.parameters.view(), result.first_moment.view(),
                           result.second_moment.view(), result.epochs, result.history},
                          earlier_loss);
  model.history.traffic["remote_rows"] = comm.all_gather(result.remote_rows);
  model.history.traffic["halo_bytes"] = comm.all_gather(result.halo_bytes);
  model.history.traffic["pair_bytes"] = comm.all_gather(result.pair_bytes);
  model.history.timing["train_waiting"] = comm.all_gather(result.waiting_seconds);
  if (result.epochs < target.epochs) {
    spdlog::warn("train.minutes ended training after {} of {} epochs", result.epochs, target.epochs);
  }
  model.history.timing["train"] = comm.all_gather(timer.seconds());
  spdlog::info("train: {:.1f} s", timer.seconds());
  return model;
}

}  // namespace cohort
