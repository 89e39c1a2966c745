#include "train/calibration.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/stopwatch.hpp"
#include "model/propagation.hpp"
#include "train/sampler.hpp"
#include "train/step_traffic.hpp"

namespace cohort {

namespace {

// Nodes and entries that a step of 64 is measured on; a step of 4 million takes a few tenths of a second.
constexpr std::int64_t largest_part = 4'000'000;
constexpr std::int64_t usual_steps = 64;
// Of the larger part: far enough apart that noise does not make the line between them.
constexpr std::int64_t smaller_share = 8;

/// A graph of its own, and what is trained on it.
struct Part {
  ShardedGraph sharded;
  Positives positives;

  std::int64_t cost() const { return sharded.graph.owned() + std::ssize(sharded.graph.adjacency.column); }
};

// This rank's first shards that have `cost` nodes and entries together, at least one.
std::int32_t shards_of_cost(int rank, const ShardGraph& graph, std::int64_t cost) {
  const auto shards = static_cast<std::int32_t>(graph.layout.shards_of_rank.count(rank));
  for (std::int32_t shard = 1; shard < shards; ++shard) {
    const auto rows = graph.shard_first_row(rank, shard);
    if (rows + graph.adjacency.row_begin[rows] >= cost) return shard;
  }
  return shards;
}

// Numbers that go on from user to user, in the order of their NodeIds.
void number_users(std::span<const std::pair<NodeId, std::int32_t>> node, std::int64_t users, Positives& positives) {
  positives.first_number.assign(node.size(), 0);
  positives.user_number.assign(node.size(), 0);
  for (std::int64_t user = 0; user < users; ++user) {
    const auto row = node[user].second;
    positives.first_number[row] = positives.total;
    positives.user_number[row] = positives.sampled_users;
    if (!positives.can_be_sampled(row, NodeId{user})) continue;
    positives.total += places_of(positives.row_begin, row).size();
    ++positives.sampled_users;
  }
}

Part first_shards(int rank, const ShardGraph& graph, const Positives& positives, std::int32_t shards) {
  const auto rows = graph.shard_first_row(rank, shards);
  std::vector<std::pair<NodeId, std::int32_t>> node;  // its new NodeId is its place here
  for (std::int32_t row = 0; row < rows; ++row) node.emplace_back(graph.node[row], row);
  std::sort(node.begin(), node.end());
  const auto place_of = [&](NodeId id) {
    const auto found = std::lower_bound(node.begin(), node.end(), std::pair(id, std::int32_t{0}));
    return found != node.end() && found->first == id ? found - node.begin() : std::ptrdiff_t{-1};
  };

  Part part;
  auto& own = part.sharded.graph;
  own.users =
      std::lower_bound(node.begin(), node.end(), std::pair(NodeId{graph.users}, std::int32_t{0})) - node.begin();
  own.items = rows - own.users;
  own.layout.shards_of_rank = Distribution::even(shards, 1);
  for (std::int32_t shard = 0; shard <= shards; ++shard) {
    own.layout.position_begin.push_back(graph.shard_first_row(rank, shard));
  }
  own.positions = own.layout.positions_of_rank();
  own.node.resize(rows);
  part.sharded.directory.distribution = Distribution::even(rows, 1);
  for (std::int64_t id = 0; id < rows; ++id) {
    own.node[node[id].second] = NodeId{id};
    part.sharded.directory.position.emplace_back(node[id].second);
  }
  own.degree.assign(graph.degree.begin(), graph.degree.begin() + rows);
  own.halo.send_begin = own.halo.receive_begin = {0};
  own.interior_begin = own.layout.position_begin;
  own.boundary_begin.assign(shards + 1, 0);
  part.positives.first_candidate = NodeId{positives.first_candidate.value == 0 ? 0 : own.users};
  part.positives.candidates = positives.first_candidate.value == 0 ? own.users : own.items;
  for (std::int32_t row = 0; row < rows; ++row) {
    own.interior.emplace_back(row);
    for (const auto e : places_of(graph.adjacency.row_begin, row)) {
      if (graph.adjacency.column[e].value >= rows) continue;
      own.adjacency.column.push_back(graph.adjacency.column[e]);
      own.adjacency.value.push_back(graph.adjacency.value[e]);
    }
    own.adjacency.row_begin.push_back(std::ssize(own.adjacency.column));
    for (const NodeId positive : positives.of(row)) {
      if (const auto id = place_of(positive); id >= 0) part.positives.node.emplace_back(id);
    }
    part.positives.row_begin.push_back(std::ssize(part.positives.node));
  }
  number_users(node, own.users, part.positives);
  return part;
}

bool can_be_trained(const ShardGraph& graph, const Part& part) {
  const auto& own = part.sharded.graph;
  return own.users > 0 && (own.items > 0) == (graph.items > 0) && !own.adjacency.column.empty() &&
         part.positives.total > 0;
}

double seconds_of_step(const Communicator& alone, const Part& part, TrainOptions options, std::int64_t steps,
                       double seconds) {
  auto& train_config = options.train;
  const auto samples = train_config.loss == LossKind::bpr ? part.positives.total : part.sharded.graph.users;
  train_config.batch = std::max<std::int64_t>((samples + steps - 1) / steps, 1);
  train_config.start = StartKind::random;
  train_config.epochs = 50;
  train_config.minutes = seconds / 60;
  train_config.checkpoint_every = 0;
  train_config.checkpoint_minutes = 0;
  if (options.features.columns > 0) {
    auto& rows = options.features.rows;
    rows.row_begin = rows.row_begin.first(static_cast<std::size_t>(part.sharded.graph.owned()) + 1);
  }
  options.on_epoch = {};
  options.on_state = {};
  return seconds_of_step(train(alone, part.sharded.graph, part.sharded.directory, part.positives, options).history);
}

// The fastest of a few products with Ahat, and of as many copies of the rows.
void time_rows(const Communicator& alone, const Part& part, const TrainOptions& options, StepCalibration& result) {
  Propagation propagation(alone, part.sharded.graph, options.model.dim, options.threads);
  auto in = propagation.matrix();
  Matrix out(part.sharded.graph.owned(), options.model.dim);
  double product = std::numeric_limits<double>::infinity();
  double copy = product;
  for (int i = 0; i < 4; ++i) {
    Stopwatch stopwatch;
    propagation.over(in, propagation.all_rows(), [&](Propagation::Rows rows, std::int64_t /*place*/) {
      spmm(propagation.entries(), rows, in.view(), {}, 1.0F, out.view());
    });
    product = std::min(product, stopwatch.seconds());
    stopwatch = Stopwatch();
    std::copy_n(in.row(0), out.rows() * out.stride(), out.row(0));
    copy = std::min(copy, stopwatch.seconds());
  }
  result.propagation = product / static_cast<double>(part.cost());
  result.copied_byte = copy / static_cast<double>(out.bytes());
}

}  // namespace

StepCalibration calibrate_steps(int rank, const ShardGraph& graph, const Positives& positives,
                                const TrainOptions& options, double seconds) {
  const auto alone = Communicator::self();
  const auto steps = steps_of_epoch(options.train, graph.users, positives);
  const auto most = std::min(largest_part, largest_part * usual_steps / steps);
  const auto part = first_shards(rank, graph, positives, shards_of_cost(rank, graph, most));
  if (!can_be_trained(graph, part)) {
    throw InputError("the first shards have too little to time training on; run `cohort plan` with fewer processes");
  }
  StepCalibration result;
  result.measured = part.cost();
  const auto whole = seconds_of_step(alone, part, options, steps, seconds);
  const auto cost = static_cast<double>(part.cost());
  time_rows(alone, part, options, result);
  result.per_cost = whole / cost;
  const auto less = first_shards(rank, graph, positives, shards_of_cost(rank, graph, part.cost() / smaller_share));
  if (less.cost() >= part.cost() || !can_be_trained(graph, less)) return result;
  const auto small = seconds_of_step(alone, less, options, steps, seconds);
  const auto slope = (whole - small) / (cost - static_cast<double>(less.cost()));
  // Noise must not make a negative part of either.
  result.per_cost = std::clamp(slope, 0.5 * whole / cost, whole / cost);
  result.fixed = whole - result.per_cost * cost;
  return result;
}

}  // namespace cohort
