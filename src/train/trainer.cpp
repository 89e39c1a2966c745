#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "comm/shard_sum.hpp"
#include "core/random.hpp"
#include "core/timer.hpp"
#include "kernels/bpr.hpp"
#include "model/lightgcn.hpp"
#include "train/pair_loss.hpp"
#include "train/step_plan.hpp"
#include "train/training_memory.hpp"

namespace cohort {

namespace {

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

Matrix copy_of(ConstMatrixView rows) {
  Matrix copy(rows.rows, rows.columns);
  std::copy_n(rows.data, rows.rows * rows.stride, copy.view().data);
  return copy;
}

// Normal numbers of standard deviation 0.1, keyed by node and column.
void initialise(const ShardGraph& graph, std::uint64_t seed, MatrixView parameters) {
  const CounterRandom random(seed, Purpose::embedding_init);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    const auto node = static_cast<std::uint64_t>(graph.node[index(row)].value);
    const auto values = parameters.at(row);
    for (std::size_t column = 0; column < values.size(); column += 2) {
      const auto pair = random.normal(node, static_cast<std::uint32_t>(column / 2));
      values[column] = static_cast<float>(0.1 * pair[0]);
      if (column + 1 < values.size()) values[column + 1] = static_cast<float>(0.1 * pair[1]);
    }
  }
}

class Trainer {
 public:
  Trainer(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory, const Positives& positives,
          const TrainOptions& options)
      : comm_(comm),
        graph_(graph),
        train_(options.train),
        sampler_(comm, graph, directory, positives, options.train),
        planner_(comm, graph, sampler_, options.threads),
        halo_(comm, graph.halo, graph.owned(), options.model.dim),
        gcn_(comm, graph, halo_, options.model.layers, options.threads),
        pairs_(comm, options.model.dim, options.train.decay, options.threads),
        parameters_(comm, halo_) {
    comm.attempt([&] {
      row_decay_.assign(index(graph.owned()), 0.0F);
      if (options.initial != nullptr) {
        start_from(*options.initial);
      } else {
        first_moment_ = Matrix(graph.owned(), options.model.dim);
        second_moment_ = Matrix(graph.owned(), options.model.dim);
        initialise(graph, static_cast<std::uint64_t>(train_.seed), parameters_.view());
      }
    });
  }

  std::int64_t epochs() const { return epochs_; }
  EpochStats train_epoch();
  TrainView view(std::span<const EpochStats> history) {
    return {
        gcn_.forward(parameters_), owned_parameters(), first_moment_.view(), second_moment_.view(), epochs_, history};
  }
  TrainResult finish(std::vector<EpochStats> history);

 private:
  void start_from(const TrainState& state);
  ConstMatrixView owned_parameters() const { return parameters_.view(); }
  std::int64_t steps_together() const;
  void step(const StepPlan& plan, std::span<double> partial);
  void update(const AdamStep& adam, std::span<const LocalRow> rows, MatrixView gradient);
  void check_loss(double loss) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  const TrainConfig& train_;
  TripleSampler sampler_;
  StepPlanner planner_;
  HaloLayout halo_;
  LightGcn gcn_;
  PairLoss pairs_;
  HaloMatrix parameters_;
  Matrix first_moment_;
  Matrix second_moment_;
  std::vector<float> row_decay_;  ///< owned rows: what the L2 term adds of the row itself, in the step at hand
  std::int64_t epochs_ = 0;
  std::int64_t steps_done_ = 0;
  std::int64_t remote_rows_ = 0;
};

void Trainer::start_from(const TrainState& state) {
  for (const Matrix* matrix : {&state.parameters, &state.first_moment, &state.second_moment}) {
    COHORT_CHECK(matrix->rows() == graph_.owned() && matrix->columns() == parameters_.columns());
  }
  std::copy_n(state.parameters.view().data, graph_.owned() * parameters_.stride(), parameters_.view().data);
  first_moment_ = copy_of(state.first_moment.view());
  second_moment_ = copy_of(state.second_moment.view());
  epochs_ = state.epochs;
  steps_done_ = epochs_ * sampler_.steps();
}

std::int64_t Trainer::steps_together() const {
  return std::clamp<std::int64_t>(triples_at_a_time * comm_.size() / sampler_.batch(), 1, steps_at_a_time);
}

EpochStats Trainer::train_epoch() {
  const Timer timer;
  const std::int64_t halo_before = gcn_.bytes_sent();
  const std::int64_t pair_before = pairs_.bytes_sent();
  const double waiting_before = gcn_.waiting_seconds() + pairs_.waiting_seconds();
  EpochStats stats;
  stats.epoch = ++epochs_;
  stats.steps = sampler_.steps();
  stats.triples = sampler_.triples();
  sampler_.begin_epoch(epochs_);
  const auto shards = index(graph_.layout.shards_of_rank.count(comm_.rank()));
  for (std::int64_t first = 0; first < stats.steps; first += steps_together()) {
    const auto plans = planner_.plan(first, std::min(stats.steps, first + steps_together()));
    std::vector<double> partials;  // shards x steps
    std::vector<double> partial;
    comm_.attempt([&] {
      pairs_.reserve(plans);
      partials.resize(shards * plans.size());
      partial.resize(shards);
    });
    for (std::size_t s = 0; s < plans.size(); ++s) {
      step(plans[s], partial);
      for (std::size_t shard = 0; shard < shards; ++shard) partials[shard * plans.size() + s] = partial[shard];
      stats.remote_rows += plans[s].fetched();
    }
    for (const double loss : shard_sum(comm_, graph_.layout, partials, std::ssize(plans))) {
      check_loss(loss);
      stats.loss += loss;
    }
  }
  stats.loss /= static_cast<double>(stats.steps);
  remote_rows_ += stats.remote_rows;
  stats.remote_rows = comm_.sum(stats.remote_rows);
  stats.halo_bytes = comm_.max(gcn_.bytes_sent() - halo_before);
  stats.pair_bytes = comm_.max(pairs_.bytes_sent() - pair_before);
  stats.waiting_seconds = comm_.max(gcn_.waiting_seconds() + pairs_.waiting_seconds() - waiting_before);
  stats.seconds = comm_.max(timer.seconds());
  return stats;
}

void Trainer::step(const StepPlan& plan, std::span<double> partial) {
  gcn_.forward(parameters_, plan.rows(), pairs_.embedding(plan));
  const auto gradient = pairs_.gradient(plan, owned_parameters(), partial);
  for (std::size_t i = 0; i < plan.touched.size(); ++i) {
    row_decay_[index(plan.touched[i].value)] = pairs_.decay_of(plan, i);
  }
  const AdamStep adam = adam_step(train_.learning_rate, ++steps_done_);
  gcn_.backward(gradient, [&](std::span<const LocalRow> rows, MatrixView block) { update(adam, rows, block); });
  for (const LocalRow row : plan.touched) row_decay_[index(row.value)] = 0;
}

// Adam on rows whose gradient has just been finished and is still in the cache.
void Trainer::update(const AdamStep& adam, std::span<const LocalRow> rows, MatrixView gradient) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float decay = row_decay_[index(rows[i].value)];
    if (decay != 0) {
      add_scaled(decay, parameters_.row(rows[i].value), gradient.row(static_cast<std::int64_t>(i)), gradient.stride);
    }
  }
  for (std::size_t i = 0; i < rows.size();) {
    const std::int64_t row = rows[i].value;
    const std::size_t first = i++;
    while (i < rows.size() && rows[i].value == rows[i - 1].value + 1) ++i;
    adam_update(adam, gradient.row(static_cast<std::int64_t>(first)), parameters_.row(row), first_moment_.row(row),
                second_moment_.row(row), static_cast<std::int64_t>(i - first) * gradient.stride);
  }
}

// The loss is float64, what it comes from is float32: beyond that range nothing is learned any more.
void Trainer::check_loss(double loss) const {
  if (std::fabs(loss) <= static_cast<double>(std::numeric_limits<float>::max())) return;
  std::ostringstream message;
  message << "training diverged in epoch " << epochs_ << ": the loss is " << loss << "; make train.learning_rate (now "
          << train_.learning_rate << ") smaller";
  throw RunError(message.str());
}

TrainResult Trainer::finish(std::vector<EpochStats> history) {
  const auto embedding = gcn_.forward(parameters_);
  TrainResult result;
  comm_.attempt([&] {
    for (std::int64_t row = 0; row < embedding.rows; ++row) {
      for (const float value : embedding.at(row)) {
        if (!std::isfinite(value)) check_loss(std::numeric_limits<double>::quiet_NaN());
      }
    }
    result.embedding = copy_of(embedding);
    result.parameters = copy_of(owned_parameters());
  });
  result.first_moment = std::move(first_moment_);
  result.second_moment = std::move(second_moment_);
  result.epochs = epochs_;
  result.history = std::move(history);
  result.remote_rows = remote_rows_;
  result.halo_bytes = gcn_.bytes_sent();
  result.pair_bytes = pairs_.bytes_sent();
  result.waiting_seconds = gcn_.waiting_seconds() + pairs_.waiting_seconds();
  return result;
}

// Whether rank 0 expects another epoch, as long as the longest so far, to end in time.
bool in_time(const Communicator& comm, const Timer& timer, double minutes, std::span<const EpochStats> history) {
  if (minutes <= 0 || history.empty()) return true;
  const auto longest = std::ranges::max_element(history, {}, &EpochStats::seconds);
  std::int32_t go_on = timer.seconds() + longest->seconds <= 60 * minutes ? 1 : 0;
  comm.broadcast(std::span<std::int32_t>(&go_on, 1));
  return go_on != 0;
}

}  // namespace

TrainResult train(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                  const Positives& positives, const TrainOptions& options) {
  const Timer timer;
  check_training_memory(comm, training_bytes(graph, positives, options.model, options.train, comm.size()));
  Trainer trainer(comm, graph, directory, positives, options);
  std::vector<EpochStats> history;
  while (trainer.epochs() < options.train.epochs && in_time(comm, timer, options.train.minutes, history)) {
    history.push_back(trainer.train_epoch());
    if (options.on_epoch) options.on_epoch(history.back());
    const bool due = options.train.checkpoint_every > 0 && trainer.epochs() % options.train.checkpoint_every == 0;
    if (options.on_checkpoint && due && trainer.epochs() < options.train.epochs) {
      options.on_checkpoint(trainer.view(history));
    }
  }
  return trainer.finish(std::move(history));
}

}  // namespace cohort
