#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

#include "comm/shard_sum.hpp"
#include "core/random.hpp"
#include "core/timer.hpp"
#include "kernels/bpr.hpp"
#include "model/lightgcn.hpp"
#include "train/pair_loss.hpp"
#include "train/pauses.hpp"
#include "train/step_plan.hpp"
#include "train/training_memory.hpp"

namespace cohort {

namespace {

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
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

bool is_finite(ConstMatrixView rows) {
  bool finite = true;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    for (const float value : rows.at(row)) finite = finite && std::isfinite(value);
  }
  return finite;
}

class Trainer {
 public:
  Trainer(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory, const Positives& positives,
          const TrainOptions& options, const TrainStart* start)
      : comm_(comm),
        graph_(graph),
        options_(options),
        train_(options.train),
        sampler_(comm, graph, directory, positives, options.train),
        planner_(comm, graph, sampler_, options.threads),
        halo_(comm, graph.halo, graph.owned(), options.model.dim),
        gcn_(comm, graph, halo_, options.model.layers, options.threads),
        pairs_(comm, options.model.dim, options.train.decay, options.threads),
        pauses_(comm, options.train.checkpoint_minutes, options.asked_to_end),
        parameters_(comm, halo_) {
    comm.attempt([&] {
      row_decay_.assign(index(graph.owned()), 0.0F);
      first_moment_ = Matrix(graph.owned(), options.model.dim);
      second_moment_ = Matrix(graph.owned(), options.model.dim);
      if (start != nullptr) {
        go_on_from(*start);
      } else {
        initialise(graph, static_cast<std::uint64_t>(train_.seed), parameters_.view());
      }
    });
  }

  TrainResult run();

 private:
  TrainingState state();
  void go_on_from(const TrainStart& start);
  ConstMatrixView owned_parameters() const { return parameters_.view(); }
  std::int64_t steps_together() const;
  bool in_time() const;
  Pause train_epoch();
  std::pair<std::int64_t, Pause> train_steps(std::span<const StepPlan> plans);
  void make_checkpoint(Pause pause);
  void show(bool ended);
  void step(const StepPlan& plan, std::span<double> partial);
  void update(const AdamStep& adam, std::span<const LocalRow> rows, MatrixView gradient);
  void check_loss(double loss) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  const TrainOptions& options_;
  const TrainConfig& train_;
  Timer since_start_;
  TripleSampler sampler_;
  StepPlanner planner_;
  HaloLayout halo_;
  LightGcn gcn_;
  PairLoss pairs_;
  Pauses pauses_;
  HaloMatrix parameters_;
  Matrix first_moment_;
  Matrix second_moment_;
  std::vector<float> row_decay_;  ///< owned rows: what the L2 term adds of the row itself, in the step at hand
  TrainProgress progress_;
  double epoch_loss_ = 0;        ///< sum over the steps done of the epoch at hand
  std::int64_t adam_steps_ = 0;  ///< done so far
  std::vector<EpochStats> history_;
  std::int64_t remote_rows_ = 0;
};

TrainingState Trainer::state() {
  return {{{layer_zero_rows, parameters_.view()},
           {"adam/first", first_moment_.view()},
           {"adam/second", second_moment_.view()}},
          {},
          {{"adam/steps", &adam_steps_}, {"epoch_loss", &epoch_loss_}}};
}

void Trainer::go_on_from(const TrainStart& start) {
  state().restore(start.state);
  progress_ = start.progress;
  if (progress_.epochs < 0 || progress_.step < 0 || progress_.step >= sampler_.steps()) {
    throw InputError("the checkpoint is none of this model: it has done " + std::to_string(progress_.step) +
                     " steps of an epoch that has " + std::to_string(sampler_.steps()));
  }
}

std::int64_t Trainer::steps_together() const {
  return std::clamp<std::int64_t>(triples_at_a_time * comm_.size() / sampler_.batch(), 1, steps_at_a_time);
}

// Whether rank 0 expects another epoch, as long as the longest so far, to end in time.
bool Trainer::in_time() const {
  if (train_.minutes <= 0 || history_.empty()) return true;
  double longest = 0;
  for (const auto& epoch : history_) {
    const auto steps = static_cast<double>(epoch.steps);
    longest = std::max(longest, epoch.seconds * steps / (steps - static_cast<double>(epoch.first_step)));
  }
  std::int32_t go_on = since_start_.seconds() + longest <= 60 * train_.minutes ? 1 : 0;
  comm_.broadcast(std::span<std::int32_t>(&go_on, 1));
  return go_on != 0;
}

TrainResult Trainer::run() {
  while (progress_.step > 0 || (progress_.epochs < train_.epochs && in_time())) {
    const Pause pause = train_epoch();
    if (options_.on_epoch) options_.on_epoch(history_.back());
    if (progress_.epochs >= train_.epochs) break;
    const bool due = train_.checkpoint_every > 0 && progress_.epochs % train_.checkpoint_every == 0;
    make_checkpoint(due && pause == Pause::none ? Pause::checkpoint : pause);
  }
  show(true);
  return {progress_,         std::move(history_), remote_rows_,
          gcn_.bytes_sent(), pairs_.bytes_sent(), gcn_.waiting_seconds() + pairs_.waiting_seconds()};
}

// What is left of the epoch at hand. Returns what the last step was followed by: what comes of that, the caller
// decides.
Pause Trainer::train_epoch() {
  const Timer timer;
  const std::int64_t halo_before = gcn_.bytes_sent();
  const std::int64_t pair_before = pairs_.bytes_sent();
  const double waiting_before = gcn_.waiting_seconds() + pairs_.waiting_seconds();
  const std::int64_t rows_before = remote_rows_;
  EpochStats stats;
  stats.epoch = progress_.epochs + 1;
  stats.steps = sampler_.steps();
  stats.first_step = progress_.step;
  stats.triples = sampler_.triples();
  sampler_.begin_epoch(stats.epoch);
  Pause pause = Pause::none;
  while (progress_.step < stats.steps) {
    const auto plans = planner_.plan(progress_.step, std::min(stats.steps, progress_.step + steps_together()));
    comm_.attempt([&] { pairs_.reserve(plans); });
    for (std::span<const StepPlan> left = plans; !left.empty();) {
      const auto [done, after] = train_steps(left);
      left = left.subspan(index(done));
      pause = after;
      if (progress_.step < stats.steps) make_checkpoint(pause);
    }
  }
  stats.loss = epoch_loss_ / static_cast<double>(stats.steps);
  stats.remote_rows = comm_.sum(remote_rows_ - rows_before);
  stats.halo_bytes = comm_.max(gcn_.bytes_sent() - halo_before);
  stats.pair_bytes = comm_.max(pairs_.bytes_sent() - pair_before);
  stats.waiting_seconds = comm_.max(gcn_.waiting_seconds() + pairs_.waiting_seconds() - waiting_before);
  stats.seconds = comm_.max(timer.seconds());
  progress_ = {stats.epoch, 0};
  epoch_loss_ = 0;
  history_.push_back(stats);
  return pause;
}

// Steps until there is a pause, at least one; how many, and the pause.
std::pair<std::int64_t, Pause> Trainer::train_steps(std::span<const StepPlan> plans) {
  const auto shards = index(graph_.layout.shards_of_rank.count(comm_.rank()));
  std::vector<double> partials;  // steps x shards
  std::vector<double> by_shard;  // the same by shard
  comm_.attempt([&] {
    partials.resize(shards * plans.size());
    by_shard.resize(shards * plans.size());
  });
  std::size_t done = 0;
  Pause pause = Pause::none;
  while (done < plans.size() && pause == Pause::none) {
    step(plans[done], std::span(partials).subspan(shards * done, shards));
    remote_rows_ += plans[done].fetched();
    ++progress_.step;
    ++done;
    pause = pauses_.after_step();
  }
  by_shard.resize(shards * done);
  for (std::size_t shard = 0; shard < shards; ++shard) {
    for (std::size_t s = 0; s < done; ++s) by_shard[shard * done + s] = partials[s * shards + shard];
  }
  for (const double loss : shard_sum(comm_, graph_.layout, by_shard, static_cast<std::int64_t>(done))) {
    check_loss(loss);
    epoch_loss_ += loss;
  }
  return {static_cast<std::int64_t>(done), pause};
}

void Trainer::make_checkpoint(Pause pause) {
  if (pause == Pause::none) return;
  show(false);
  pauses_.checkpoint_written();
  if (pause != Pause::interruption) return;
  std::string place = "epoch " + std::to_string(progress_.epochs);
  if (progress_.step > 0) place += " and " + std::to_string(progress_.step) + " steps";
  throw Interrupted("the same command again goes on after " + place + " of training");
}

// What is not finite would be of no use to whoever goes on, and must not take the place of what is.
void Trainer::show(bool ended) {
  const auto embedding = gcn_.forward(parameters_);
  const auto now = state();
  comm_.attempt([&] {
    bool finite = is_finite(embedding);
    for (const auto& [name, rows] : now.rows) finite = finite && is_finite(rows);
    if (!finite) check_loss(std::numeric_limits<double>::quiet_NaN());
  });
  if (options_.on_state) options_.on_state({embedding, now, progress_, history_, ended});
}

void Trainer::step(const StepPlan& plan, std::span<double> partial) {
  gcn_.forward(parameters_, plan.rows(), pairs_.embedding(plan));
  const auto gradient = pairs_.gradient(plan, owned_parameters(), partial);
  for (std::size_t i = 0; i < plan.touched.size(); ++i) {
    row_decay_[index(plan.touched[i].value)] = pairs_.decay_of(plan, i);
  }
  const AdamStep adam = adam_step(train_.learning_rate, ++adam_steps_);
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
  message << "training diverged in epoch " << progress_.epochs + (progress_.step > 0 ? 1 : 0) << ": the loss is "
          << loss << "; make train.learning_rate (now " << train_.learning_rate << ") smaller";
  throw RunError(message.str());
}

}  // namespace

TrainResult train(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                  const Positives& positives, const TrainOptions& options, std::optional<TrainStart> start) {
  check_training_memory(comm, training_bytes(graph, positives, options.model, options.train, comm.size()));
  Trainer trainer(comm, graph, directory, positives, options, start ? &*start : nullptr);
  start.reset();  // it has been copied
  return trainer.run();
}

}  // namespace cohort
