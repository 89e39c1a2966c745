#include <fmt/format.h>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/result_notes.hpp"
#include "cli/stages/checkpoints.hpp"
#include "cli/stages/choice_stage.hpp"
#include "cli/stages/initial_stage.hpp"
#include "cli/stages/network_input.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "graph/node_route.hpp"
#include "store/graph_hash.hpp"
#include "train/choices.hpp"
#include "train/positives.hpp"
#include "train/trainer.hpp"

namespace cohort {

namespace {

std::string in_words(const EpochStats& epoch, std::int64_t epochs) {
  auto text = fmt::format("epoch {}/{}: loss {:.6f}, {:.2f} s, halo {}, waiting {:.0f} %", epoch.epoch, epochs,
                          epoch.loss, epoch.seconds, in_bytes(epoch.halo_bytes),
                          epoch.seconds > 0 ? 100 * epoch.waiting_seconds / epoch.seconds : 0.0);
  if (epoch.joint) {
    text += fmt::format("; joint: modularity's loss {:.6f}, {} moved", epoch.joint->modularity,
                        counted(epoch.joint->moved, "user"));
  }
  return text;
}

void add_joint(const EpochStats& epoch, History& history) {
  if (!epoch.joint) return;
  history.joint["epoch"].push_back(static_cast<double>(epoch.epoch));
  history.joint["objective"].push_back(epoch.joint->objective);
  history.joint["modularity"].push_back(epoch.joint->modularity);
  history.joint["moved"].push_back(static_cast<double>(epoch.joint->moved));
}

std::string in_words(const TrainProgress& progress) {
  const auto epochs = fmt::format("epoch {}", progress.epochs);
  return progress.step == 0 ? epochs : epochs + " and " + counted(progress.step, "step");
}

// What training has come to, in blocks of nodes instead of the order of shards; `loss` of the epochs before these.
ModelState in_blocks(const Communicator& comm, const ShardGraph& graph, const TrainView& trained,
                     std::vector<double> loss) {
  const NodeRoute route(comm, graph, Distribution::even(graph.users + graph.items, comm.size()));
  ModelState model;
  model.epochs = trained.progress.epochs;
  model.step = trained.progress.step;
  model.embedding = route.to_blocks(trained.embedding);
  for (const auto& [name, rows] : trained.state.rows) model.state.rows[name] = route.to_blocks(rows);
  comm.attempt([&] {
    for (const auto& [name, matrix] : trained.state.replicated) model.state.replicated[name] = copy_of(matrix);
  });
  model.state.numbers = trained.state.saved_numbers();
  model.loss = std::move(loss);
  for (const auto& epoch : trained.history) model.loss.push_back(epoch.loss);
  return model;
}

std::string in_words(const std::vector<ScaledTable>& tables) {
  constexpr const char* words[] = {"auto", "none", "sum", "length", "columns"};
  std::string text;
  for (const auto& table : tables) {
    text += fmt::format("{}{} columns scaled by {}", text.empty() ? "" : ", ", table.table->columns,
                        words[static_cast<std::size_t>(table.scaling)]);
  }
  return text;
}

void say_what_is_ignored(const Config& config) {
  const auto ignored = ignored_settings(config);
  if (ignored.empty()) return;
  const bool trained = encoder_of(config) != EncoderKind::spectral;
  spdlog::warn("without effect: {}, since {}", ignored,
               !trained                                 ? "nothing is trained (model.encoder is or comes to spectral)"
               : config.train.loss == LossKind::bpr     ? "train.loss is or comes to bpr"
               : config.train.loss == LossKind::softmax ? "train.loss is or comes to softmax"
               : config.train.loss == LossKind::dmon    ? "train.loss is dmon"
                                                        : "train.loss is or comes to ns4gc");
}

TrainStart in_shards(const Communicator& comm, const ShardGraph& graph, ModelState model, const std::string& path) {
  const NodeRoute route(comm, graph, Distribution::even(graph.users + graph.items, comm.size()));
  TrainStart start{{model.epochs, model.step}, std::move(model.state), path};
  for (auto& [name, rows] : start.state.rows) rows = route.to_shards(rows.view());
  return start;
}

}  // namespace

TrainTarget model_target(const Session& session, const Dataset& dataset) {
  if (encoder_of(session.config()) == EncoderKind::spectral) return {session.model_path()};
  const auto train = with_choices(session.config().train, dataset.users.total());
  return {session.model_path(), train.epochs, train.minutes};
}

NodeFeatures network_input(const Session& session, const Dataset& dataset, const ShardedGraph& sharded) {
  const auto& input = session.config().input;
  const auto users = scaled_tables(dataset.user_features, input.user_feature_scaling);
  const auto items = scaled_tables(dataset.item_features, input.item_feature_scaling);
  if (!users.empty()) spdlog::info("  features of users: {}", in_words(users));
  if (!items.empty()) spdlog::info("  features of items: {}", in_words(items));
  return network_input(session.comm(), input, dataset, sharded, static_cast<int>(session.threads()));
}

ModelFile empty_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded) {
  const auto& comm = session.comm();
  ModelFile model;
  model.shards = sharded.graph.layout.shards();
  model.provenance = session.provenance(graph.provenance.inputs);
  model.graph_hash = graph_hash(comm, graph.dataset);
  model.partition_hash = partition_hash(comm, *graph.partition);
  model.history = graph.history;
  model.history.traffic["owned"] = comm.all_gather(sharded.graph.owned());
  model.history.traffic["ghosts"] = comm.all_gather(std::ssize(sharded.graph.ghost));
  return model;
}

ModelFile train_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded,
                      const TrainTarget& target) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  if (!target.derived) say_what_is_ignored(config);
  if (encoder_of(config) == EncoderKind::spectral) return spectral_model(session, graph, sharded, target);
  const Stopwatch stopwatch;
  const auto positives = training_pairs(session, graph.dataset, sharded);
  auto earlier = load_checkpoint(session, graph, target);
  const auto candidates = earlier         ? earlier->history.choice
                          : target.choice ? *target.choice
                                          : choose_training(session, graph);
  auto chosen = with_choices(with_chosen(config.train, candidates), graph.dataset.users.total());
  if (chosen.learning_rate == 0) chosen.learning_rate = bpr_rate(batch_size(chosen.batch, positives.total));
  const auto width = with_width(config.model, sharded.graph.users + sharded.graph.items);
  const auto a_step = chosen.loss == LossKind::bpr ? counted(batch_size(chosen.batch, positives.total), "triple")
                      : chosen.loss == LossKind::softmax
                          ? counted(std::min(chosen.batch, graph.dataset.users.total()), "user")
                          : std::string("all nodes");
  spdlog::info("train: {}, {}, {}, {} a step", counted(width.layers, "layer"), counted(width.dim, "column"),
               counted(positives.total, "positive"), a_step);

  auto model = empty_model(session, graph, sharded);
  model.history.choice = candidates;

  const auto features = network_input(session, graph.dataset, sharded);
  TrainOptions options;
  options.features = features.input();
  options.model = width;
  options.train = chosen;
  options.train.epochs = target.epochs;
  options.train.minutes = target.minutes;
  options.threads = static_cast<int>(session.threads());
  options.segment = config.segment;
  std::optional<TrainStart> start;
  std::optional<InitialRun> initial;
  std::vector<double> earlier_loss;
  if (earlier) {
    earlier_loss = std::move(earlier->model.loss);
    model.history.joint = std::move(earlier->history.joint);
    model.provenance.follows = std::move(earlier->provenance.follows);
    start = in_shards(comm, sharded.graph, std::move(earlier->model), target.path);
    spdlog::info("  going on after {} of {}", in_words(start->progress), target.path);
  } else if (!config.train.initial.empty() && !target.derived) {
    initial = read_initial(session, graph.dataset, sharded.graph, width.dim, options.features.columns == 0);
    model.provenance.follows = initial->files;
  }
  const auto result = [&] {
    Progress progress(comm, target.epochs, start ? start->progress.epochs : 0);
    auto losses = earlier_loss;
    options.on_epoch = [&](const EpochStats& epoch) {
      progress.step(epoch.epoch, in_words(epoch, target.epochs));
      losses.push_back(epoch.loss);
      add_joint(epoch, model.history);
      if (loss_rose(losses) == std::ssize(losses)) spdlog::warn("{}", loss_warning(losses));
    };
    options.on_state = [&](const TrainView& view) {
      model.model = in_blocks(comm, sharded.graph, view, earlier_loss);
      if (view.ended) return;
      write_model_file(comm, target.path, model);
      session.note_progress();
      model.model = {};  // training needs the memory
    };
    return train(comm, sharded.graph, sharded.directory, positives, options, std::move(start),
                 initial ? &initial->state : nullptr);
  }();
  // Whoever trained writes the model as soon as it is returned.
  if (!result.history.empty()) session.note_progress();
  model.history.traffic["remote_rows"] = comm.all_gather(result.remote_rows);
  model.history.traffic["halo_bytes"] = comm.all_gather(result.halo_bytes);
  model.history.traffic["pair_bytes"] = comm.all_gather(result.pair_bytes);
  model.history.timing["train_waiting"] = comm.all_gather(result.waiting_seconds);
  model.history.timing["train_step"] = comm.all_gather(seconds_of_step(result.history));
  if (result.progress.epochs < target.epochs) {
    spdlog::warn("train.minutes ended training after {} of {}", result.progress.epochs,
                 counted(target.epochs, "epoch"));
  }
  if (const auto warning = loss_warning(model.model.loss); !warning.empty()) spdlog::warn("{}", warning);
  model.history.timing["train"] = comm.all_gather(stopwatch.seconds());
  spdlog::info("train: {:.1f} s", stopwatch.seconds());
  return model;
}

}  // namespace cohort
