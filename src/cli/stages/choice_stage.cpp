#include "cli/stages/choice_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/pipeline.hpp"
#include "comm/reblock.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "graph/node_route.hpp"
#include "recommend/blend.hpp"
#include "recommend/held_back_ranking.hpp"
#include "recommend/user_means.hpp"
#include "train/choices.hpp"
#include "train/positives.hpp"
#include "train/trainer.hpp"

namespace cohort {

namespace {

constexpr std::int64_t most_trained = 4;  // candidates
// Tried upwards as long as each is better than the one before. Sparse data want the first and dense ones the second;
// the last is for users who differ by chance alone within their kind, which a low temperature learns by heart.
constexpr std::array temperatures{default_temperature, 0.2, 0.8};
constexpr double powers[] = {default_length_power, 0.0, 0.5};

struct Embeddings {
  Matrix users;
  Matrix items;
};

/// The best so far: what it is, and the NDCG of each user of the validation.
struct Best {
  std::size_t row = 0;
  TrainConfig train;
  std::vector<double> ndcg;
};

class Chooser {
 public:
  Chooser(const Session& session, const GraphFile& graph, HeldBack held);

  CandidateTable choose(const TrainConfig& wanted);

 private:
  Embeddings train_candidate(const TrainConfig& candidate) const;
  void try_out(TrainConfig candidate, bool any_power);
  void compare(const TrainConfig& candidate, std::vector<double> ndcg);

  const Session& session_;
  HeldBack held_;
  std::vector<std::int64_t> users_;  // that hold something back
  UserMeans means_;
  GraphFile left_;
  ShardedGraph sharded_;
  NodeFeatures features_;
  Positives positives_;
  std::optional<Best> best_;
  CandidateTable table_;
};

void add_row(CandidateTable& table, const TrainConfig& train, double ndcg, double gain, double error) {
  table["temperature"].push_back(train.temperature);
  table["by_degree"].push_back(train.pair_weight == PairWeight::equal ? 0 : 1);
  table["length_power"].push_back(train.length_power);
  table["ndcg"].push_back(ndcg);
  table["gain"].push_back(gain);
  table["standard_error"].push_back(error);
  table["chosen"].push_back(0);
}

CandidateTable only(const TrainConfig& train) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  CandidateTable table;
  add_row(table, train, unknown, unknown, unknown);
  table["chosen"].front() = 1;
  return table;
}

// Nothing is left to choose.
bool is_given(const TrainConfig& train) {
  return train.temperature > 0 && train.pair_weight != PairWeight::automatic && train.length_power != automatic_power;
}

std::string in_words(const TrainConfig& train) {
  return fmt::format("temperature {:g}, pairs weigh {}, items by the power {:g} of their length", train.temperature,
                     train.pair_weight == PairWeight::equal ? "alike" : "their user's degree^-1/2", train.length_power);
}

Chooser::Chooser(const Session& session, const GraphFile& graph, HeldBack held)
    : session_(session), held_(std::move(held)), users_(held_.user_rows()), means_(session.comm(), users_) {
  const auto& comm = session.comm();
  comm.attempt([&] {
    left_.dataset.users = graph.dataset.users;
    left_.dataset.items = graph.dataset.items;
    left_.dataset.interactions = held_.left;
    left_.dataset.social = graph.dataset.social;
  });
  sharded_ = shard_graph(comm, graph_of(session, left_.dataset), *graph.partition);
  features_ = network_input(session, graph.dataset, sharded_);
  positives_ = positives_of(comm, left_.dataset, sharded_);
}

Embeddings Chooser::train_candidate(const TrainConfig& candidate) const {
  const auto& comm = session_.comm();
  const auto& dataset = left_.dataset;
  Embeddings found;
  TrainOptions options;
  options.features = features_.input();
  options.model = with_width(session_.config().model, sharded_.graph.users + sharded_.graph.items);
  options.train = candidate;
  options.train.checkpoint_every = 0;
  options.train.checkpoint_minutes = 0;
  options.train.joint = false;
  options.threads = static_cast<int>(session_.threads());
  options.on_state = [&](const TrainView& view) {
    if (!view.ended) return;  // asked to end
    const auto nodes = Distribution::even(dataset.users.total() + dataset.items.total(), comm.size());
    const auto rows = NodeRoute(comm, sharded_.graph, nodes).to_blocks(view.embedding);
    found.users = reblock(comm, rows.view(), nodes, 0, dataset.users.distribution);
    found.items = reblock(comm, rows.view(), nodes, dataset.users.total(), dataset.items.distribution);
  };
  try {
    train(comm, sharded_.graph, sharded_.directory, positives_, options);
  } catch (const Interrupted&) {
    throw Interrupted("the same command again chooses the settings of training from the start");
  }
  return found;
}

// The default stays where nothing is above chance.
void Chooser::compare(const TrainConfig& candidate, std::vector<double> ndcg) {
  const double mean = means_.mean(ndcg);
  if (!best_) {
    add_row(table_, candidate, mean, 0, 0);
    best_ = {0, candidate, std::move(ndcg)};
    return;
  }
  const auto gain = means_.gain(ndcg, best_->ndcg);
  add_row(table_, candidate, mean, gain.mean, gain.standard_error);
  if (gain.mean > gain.standard_error) best_ = {table_["chosen"].size() - 1, candidate, std::move(ndcg)};
}

// Trains `candidate` and ranks by it; with `any_power` by every power of the items' lengths.
void Chooser::try_out(TrainConfig candidate, bool any_power) {
  const auto& comm = session_.comm();
  const auto found = train_candidate(candidate);
  const auto ndcg = [&](double power) {
    Matrix items;
    comm.attempt([&] {
      items = copy_of(found.items.view());
      weigh_by_length(items.view(), power);
    });
    return ndcg_of_users(comm, found.users.view(), items.view(), left_.dataset.items.distribution, held_);
  };
  if (!any_power) return compare(candidate, ndcg(candidate.length_power));
  for (const double power : powers) {
    candidate.length_power = power;
    compare(candidate, ndcg(power));
  }
}

// First the temperature, then with the best one what a pair weighs.
CandidateTable Chooser::choose(const TrainConfig& wanted) {
  const auto& comm = session_.comm();
  const auto users = left_.dataset.users.total();
  auto first = with_choices(wanted, users);
  const auto trained = std::min(most_trained, first.epochs);
  first.epochs /= trained;
  const bool any_power = wanted.length_power == automatic_power;
  try_out(first, any_power);
  std::int64_t left = trained - 1;
  const auto next = [&](auto change) {
    if (left-- <= 0) return;
    comm.stop_if_interrupted();
    auto candidate = best_->train;
    candidate.length_power = first.length_power;
    change(candidate);
    try_out(candidate, any_power);
  };
  for (std::size_t t = 1; wanted.temperature == 0 && t < temperatures.size(); ++t) {
    if (best_->train.temperature != temperatures[t - 1]) break;
    next([&](TrainConfig& train) { train.temperature = temperatures[t]; });
  }
  if (wanted.pair_weight == PairWeight::automatic)
    next([](TrainConfig& train) { train.pair_weight = PairWeight::equal; });
  table_["chosen"][best_->row] = 1;
  return std::move(table_);
}

}  // namespace

bool trains_to_choose(const TrainConfig& train, bool item_nodes, std::int64_t interactions) {
  return train.loss == LossKind::softmax && item_nodes && !is_given(train) && interactions <= most_trained_again;
}

CandidateTable choose_training(const Session& session, const GraphFile& graph) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  const auto& wanted = session.config().train;
  if (wanted.loss != LossKind::softmax) return {};
  const auto users = dataset.users.total();
  auto usual = only(with_choices(wanted, users));
  if (is_given(wanted) || !dataset.has_item_nodes()) return usual;
  const Stopwatch stopwatch;
  const auto pairs = comm.sum(dataset.interactions.size());
  if (!trains_to_choose(wanted, true, pairs)) {
    spdlog::info("choose: {}, too many to try settings of training on; the usual ones are taken",
                 counted(pairs, "interaction"));
    return usual;
  }
  auto held = hold_back(comm, dataset.interactions, dataset.users.distribution, dataset.items.distribution,
                        static_cast<std::uint64_t>(wanted.seed));
  const auto held_back = comm.sum(held.pairs.size());
  if (held_back == 0) {
    spdlog::info("choose: no user has two interactions to hold one back; the usual settings of training are taken");
    return usual;
  }
  spdlog::info("choose: settings of training, on {} held back", counted(held_back, "interaction"));
  auto table = Chooser(session, graph, std::move(held)).choose(wanted);
  spdlog::info("choose: {:.1f} s, {}", stopwatch.seconds(), in_words(with_chosen(wanted, table)));
  return table;
}

TrainConfig with_chosen(TrainConfig train, const CandidateTable& table) {
  if (train.loss != LossKind::softmax) return train;
  const auto damaged = [] {
    return InputError("/history/choice of the model does not say what it was trained with; --restart begins anew");
  };
  const auto chosen = table.find("chosen");
  if (chosen == table.end()) throw damaged();
  const auto row = std::ranges::find(chosen->second, 1.0) - chosen->second.begin();
  const auto value = [&](const char* column) {
    const auto found = table.find(column);
    if (found == table.end() || row >= std::ssize(found->second)) throw damaged();
    return found->second[row];
  };
  train.temperature = value("temperature");
  train.pair_weight = value("by_degree") == 0 ? PairWeight::equal : PairWeight::degree;
  train.length_power = value("length_power");
  if (!(train.temperature > 0 && train.length_power >= 0 && train.length_power <= 1)) throw damaged();
  return train;
}

}  // namespace cohort
