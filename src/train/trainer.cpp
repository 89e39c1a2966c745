#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "cluster/kmeans.hpp"
#include "comm/shard_sum.hpp"
#include "core/stopwatch.hpp"
#include "core/words.hpp"
#include "model/encoder.hpp"
#include "model/propagation.hpp"
#include "model/spectral.hpp"
#include "train/choices.hpp"
#include "train/learned_rows.hpp"
#include "train/learned_weights.hpp"
#include "train/objective.hpp"
#include "train/pauses.hpp"
#include "train/training_memory.hpp"
#include "train/user_rows.hpp"

namespace cohort {

namespace {

bool is_finite(ConstMatrixView rows) {
  bool finite = true;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    for (const float value : rows.at(row)) finite = finite && std::isfinite(value);
  }
  return finite;
}

// Length of the rows that training starts from where it is spectral: about that of random ones of 64 columns.
constexpr double start_length = 0.8;

// The one training loop: whatever the encoder and the objective are.
class Trainer {
 public:
  Trainer(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory, const Positives& positives,
          const TrainOptions& options, const TrainStart* start, const InitialState* initial)
      : comm_(comm),
        graph_(graph),
        options_(options),
        train_(options.train),
        shard_sum_(comm, graph.layout),
        objective_(make_objective(comm, graph, directory, positives, options.model, options.train,
                                  options.segment.count, options.threads)),
        propagation_(comm, graph, options.model.dim, options.threads),
        encoder_(make_encoder(comm, options.model, static_cast<std::uint64_t>(options.train.seed), propagation_,
                              options.features)),
        pauses_(comm, options.train.checkpoint_minutes, options.asked_to_end) {
    if (options.features.columns == 0) rows_.emplace(comm, propagation_);
    comm.attempt([&] {
      weights_.emplace(encoder_->weights(), "adam/weight_steps");
      objective_weights_.emplace(objective_->weights(), "adam/objective_steps");
      if (!rows_) no_rows_ = Matrix(graph.owned(), options.model.dim);
      if (rows_ && (objective_->views() > 1 || train_.joint)) by_views_ = Matrix(graph.owned(), options.model.dim);
    });
    if (start != nullptr) {
      const auto& saved = start->state.replicated;
      if (saved.contains(initial_centres_name)) {
        comm.attempt([&] { initial_centres_ = copy_of(saved.at(initial_centres_name).view()); });
      }
      if (saved.contains(centres_name)) make_joint();
      comm.attempt([&] {
        try {
          go_on_from(*start);
        } catch (const InputError& error) {
          throw InputError(start->name + ": " + error.what());
        }
      });
    } else {
      begin(initial);
    }
  }

  TrainResult run();

 private:
  TrainingState state();
  void begin(const InitialState* initial);
  void begin_with(const InitialState& initial);
  void make_joint();
  void begin_joint();
  void go_on_from(const TrainStart& start);
  bool in_time() const;
  Pause train_epoch();
  Pause train_steps(std::int64_t end);
  void make_checkpoint(Pause pause);
  void show(bool ended);
  void step(std::int64_t step, std::span<double> loss_by_shard);
  void check_loss(double loss) const;
  std::int64_t halo_bytes() const { return propagation_.bytes_sent() + encoder_->bytes_sent(); }
  double waiting_seconds() const {
    return propagation_.waiting_seconds() + encoder_->waiting_seconds() + objective_->traffic().waiting_seconds;
  }
  HaloMatrix& layer_zero() { return rows_ ? rows_->matrix() : no_base_; }
  void add_view(bool first, std::span<const LocalRow> rows, MatrixView gradient);

  const Communicator& comm_;
  const ShardGraph& graph_;
  const TrainOptions& options_;
  const TrainConfig& train_;
  ShardSum shard_sum_;
  Stopwatch since_start_;
  std::unique_ptr<Objective> objective_;
  Propagation propagation_;
  std::unique_ptr<Encoder> encoder_;
  std::optional<LearnedRows> rows_;  ///< none where features are the input
  HaloMatrix no_base_;
  Matrix no_rows_;                                   ///< zeros, for objectives that look at layer 0
  std::optional<LearnedWeights> weights_;            ///< the encoder's
  std::optional<LearnedWeights> objective_weights_;  ///< and the objective's
  Joint* joint_ = nullptr;                           ///< the objective, in the joint phase
  Matrix initial_centres_;                           ///< of another run, until the joint phase begins
  Matrix by_views_;                                  ///< the gradient by layer 0 of the views that have been
  Pauses pauses_;
  TrainProgress progress_;
  double epoch_loss_ = 0;  ///< sum over the steps done of the epoch at hand
  std::vector<EpochStats> history_;
};

TrainingState Trainer::state() {
  TrainingState state;
  state.numbers["epoch_loss"] = &epoch_loss_;
  for (TrainingState part : {rows_ ? rows_->state() : TrainingState(), weights_->state(), objective_weights_->state(),
                             objective_->state()}) {
    state.rows.merge(part.rows);
    state.replicated.merge(part.replicated);
    state.numbers.merge(part.numbers);
  }
  if (initial_centres_.rows() > 0) state.replicated[initial_centres_name] = initial_centres_.view();
  return state;
}

void Trainer::begin(const InitialState* initial) {
  if (initial != nullptr) {
    comm_.attempt([&] { begin_with(*initial); });
    return;
  }
  if (!rows_) return;
  const auto seed = static_cast<std::uint64_t>(train_.seed);
  if (train_.start != StartKind::spectral) {
    comm_.attempt([&] { rows_->initialise(seed); });
    return;
  }
  SpectralOptions options;
  options.dim = propagation_.columns();
  options.seed = seed;
  options.threads = propagation_.threads();
  const auto spectrum = leading_eigenvectors(comm_, graph_, options);
  comm_.attempt([&] { rows_->set(spectral_start(spectrum, start_length).view()); });
}

void Trainer::begin_with(const InitialState& initial) {
  if (rows_) {
    rows_->initialise(static_cast<std::uint64_t>(train_.seed));
    rows_->set(initial.rows.view(), initial.known);
  }
  initial.copy_into(encoder_->weights());
  initial.copy_into(objective_->weights());
  const auto centres = initial.replicated.find(centres_name);
  if (train_.joint && centres != initial.replicated.end()) initial_centres_ = copy_of(centres->second.view());
}

// The objective of the joint phase, its centres yet zero.
void Trainer::make_joint() {
  auto joint = std::make_unique<Joint>(comm_, graph_, std::move(objective_), options_.model.dim, options_.segment.count,
                                       JointOptions(), options_.threads);
  joint_ = joint.get();
  objective_ = std::move(joint);
  comm_.attempt([&] { objective_weights_.emplace(objective_->weights(), "adam/objective_steps"); });
}

// From the centres of another run, or from those that k-means finds.
void Trainer::begin_joint() {
  Matrix centres;
  if (initial_centres_.rows() > 0) {
    centres = std::exchange(initial_centres_, Matrix());
  } else {
    const auto embedding = encoder_->forward(layer_zero());
    UserRows users;
    comm_.attempt([&] { users = users_by_shard(comm_, graph_, embedding); });
    KmeansOptions options;
    options.count = options_.segment.count;
    options.spherical = true;
    options.restarts = options_.segment.restarts;
    options.max_iterations = options_.segment.max_iterations;
    options.tolerance = options_.segment.tolerance;
    options.seed = static_cast<std::uint64_t>(train_.seed);
    centres = kmeans(comm_, {users.rows.view(), users.id, users.shard_begin, &graph_.layout}, options).centroid;
  }
  make_joint();
  comm_.attempt([&] { objective_->weights().front().value = std::move(centres); });
}

void Trainer::go_on_from(const TrainStart& start) {
  state().restore(start.state);
  progress_ = start.progress;
  if (progress_.epochs < 0 || progress_.step < 0 || progress_.step >= objective_->steps()) {
    throw InputError("the checkpoint is none of this model: it has done " + std::to_string(progress_.step) +
                     " steps of an epoch that has " + std::to_string(objective_->steps()));
  }
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
    if (train_.joint && joint_ == nullptr && progress_.epochs >= train_.epochs - joint_epochs(train_.epochs)) {
      begin_joint();
    }
    const Pause pause = train_epoch();
    if (options_.on_epoch) options_.on_epoch(history_.back());
    if (progress_.epochs >= train_.epochs) break;
    const bool due = train_.checkpoint_every > 0 && progress_.epochs % train_.checkpoint_every == 0;
    make_checkpoint(due && pause == Pause::none ? Pause::checkpoint : pause);
  }
  show(true);
  const auto traffic = objective_->traffic();
  return {progress_, std::move(history_), traffic.remote_rows, halo_bytes(), traffic.bytes_sent, waiting_seconds()};
}

// What is left of the epoch at hand. Returns what the last step was followed by: what comes of that, the caller
// decides.
Pause Trainer::train_epoch() {
  const Stopwatch stopwatch;
  const std::int64_t halo_before = halo_bytes();
  const auto before = objective_->traffic();
  const double waiting_before = waiting_seconds();
  EpochStats stats;
  stats.epoch = progress_.epochs + 1;
  stats.steps = objective_->steps();
  stats.first_step = progress_.step;
  stats.triples = objective_->samples();
  objective_->begin_epoch(stats.epoch);
  Pause pause = Pause::none;
  while (progress_.step < stats.steps) {
    const std::int64_t end = progress_.step + objective_->plan(progress_.step);
    while (progress_.step < end) {
      pause = train_steps(end);
      if (progress_.step < stats.steps) make_checkpoint(pause);
    }
  }
  const auto after = objective_->traffic();
  stats.loss = epoch_loss_ / static_cast<double>(stats.steps);
  stats.remote_rows = comm_.sum(after.remote_rows - before.remote_rows);
  stats.halo_bytes = comm_.max(halo_bytes() - halo_before);
  stats.pair_bytes = comm_.max(after.bytes_sent - before.bytes_sent);
  stats.waiting_seconds = comm_.max(waiting_seconds() - waiting_before);
  stats.seconds = comm_.max(stopwatch.seconds());
  if (joint_ != nullptr) stats.joint = joint_->take_stats(stats.loss);
  progress_ = {stats.epoch, 0};
  epoch_loss_ = 0;
  history_.push_back(stats);
  return pause;
}

// Planned steps until there is a pause or `end`, at least one.
Pause Trainer::train_steps(std::int64_t end) {
  const auto shards = static_cast<std::size_t>(graph_.layout.shards_of_rank.count(comm_.rank()));
  const std::int64_t first = progress_.step;
  std::vector<double> partials;  // steps x shards
  std::vector<double> by_shard;  // the same by shard
  comm_.attempt([&] {
    partials.resize(shards * static_cast<std::size_t>(end - first));
    by_shard.resize(partials.size());
  });
  Pause pause = Pause::none;
  while (progress_.step < end && pause == Pause::none) {
    step(progress_.step,
         std::span(partials).subspan(shards * static_cast<std::size_t>(progress_.step - first), shards));
    ++progress_.step;
    pause = pauses_.after_step();
  }
  const std::size_t done = static_cast<std::size_t>(progress_.step - first);
  by_shard.resize(shards * done);
  for (std::size_t shard = 0; shard < shards; ++shard) {
    for (std::size_t s = 0; s < done; ++s) by_shard[shard * done + s] = partials[s * shards + shard];
  }
  for (const double loss : shard_sum_.of(by_shard, progress_.step - first)) {
    check_loss(loss);
    epoch_loss_ += loss;
  }
  return pause;
}

void Trainer::make_checkpoint(Pause pause) {
  if (pause == Pause::none) return;
  show(false);
  pauses_.checkpoint_written();
  if (pause != Pause::interruption) return;
  std::string place = "epoch " + std::to_string(progress_.epochs);
  if (progress_.step > 0) place += " and " + counted(progress_.step, "step");
  throw Interrupted("the same command again goes on after " + place + " of training");
}

// What is not finite would be of no use to whoever goes on, and must not take the place of what is.
void Trainer::show(bool ended) {
  const auto embedding = encoder_->forward(layer_zero());
  const auto now = state();
  comm_.attempt([&] {
    bool finite = is_finite(embedding);
    for (const auto& [name, rows] : now.rows) finite = finite && is_finite(rows);
    if (!finite) check_loss(std::numeric_limits<double>::quiet_NaN());
  });
  if (options_.on_state) options_.on_state({embedding, now, progress_, history_, ended});
}

void Trainer::step(std::int64_t step, std::span<double> loss_by_shard) {
  const std::int64_t steps = objective_->steps();
  const std::int64_t number = progress_.epochs * steps + step;
  const int views = objective_->views();
  const auto look = [&](int view) {
    const bool whole = !objective_->corrupts(view);
    encoder_->look(view, {whole ? 0 : options_.model.edge_dropout, whole ? 0 : options_.model.column_dropout,
                          static_cast<std::uint64_t>(train_.seed), static_cast<std::uint32_t>(number * views + view)});
  };
  for (int view = 0; view < views; ++view) {
    look(view);
    encoder_->forward(layer_zero(), objective_->rows(step, view), objective_->outputs(step, view));
  }
  const double rate = objective_->rate_factor(number, train_.epochs * steps) * train_.learning_rate;
  const auto adam = rows_ ? rows_->next_step(rate) : AdamStep();
  const auto owned = rows_ ? rows_->owned() : ConstMatrixView(no_rows_.view());
  for (int view = 0; view < views; ++view) {
    const auto gradient = objective_->gradient(step, view, owned, loss_by_shard);
    const auto decay = objective_->decay();
    encoder_->turn_to(view);
    encoder_->backward(gradient, [&](std::span<const LocalRow> rows, MatrixView block) {
      if (views > 1) add_view(view == 0, rows, block);
      if (view + 1 == views) rows_->update(adam, decay, rows, block);
    });
  }
  weights_->update(rate, train_.decay, encoder_->weight_gradients());
  objective_weights_->update(rate, 0, objective_->weight_gradients());
}

// The views' gradients are added up, in order; the last one becomes the sum.
void Trainer::add_view(bool first, std::span<const LocalRow> rows, MatrixView gradient) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    float* const sum = by_views_.row(rows[i].value);
    float* const part = gradient.row(static_cast<std::int64_t>(i));
    if (!first) add_row(sum, part, gradient.stride);
    std::copy_n(part, gradient.stride, sum);
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

double seconds_of_step(std::span<const EpochStats> history) {
  std::vector<double> taken;
  for (const auto& epoch : history) {
    taken.push_back(epoch.seconds / static_cast<double>(std::max<std::int64_t>(epoch.steps - epoch.first_step, 1)));
  }
  if (taken.empty()) return 0;
  if (taken.size() > 1) taken.erase(taken.begin());
  std::nth_element(taken.begin(), taken.begin() + std::ssize(taken) / 2, taken.end());
  return taken[taken.size() / 2];
}

TrainResult train(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                  const Positives& positives, const TrainOptions& options, std::optional<TrainStart> start,
                  const InitialState* initial) {
  need_training_memory(comm, graph, positives, options);
  Trainer trainer(comm, graph, directory, positives, options, start ? &*start : nullptr, initial);
  start.reset();  // it has been copied
  return trainer.run();
}

}  // namespace cohort
