#include "cli/stages/plan_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/plan_memory.hpp"
#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "core/memory.hpp"
#include "data/dataset_bytes.hpp"
#include "graph/rank_shares.hpp"
#include "model/encoder_traffic.hpp"
#include "partition/cut_points.hpp"
#include "train/choices.hpp"
#include "train/sampler.hpp"
#include "train/step_traffic.hpp"

namespace cohort {

namespace {

constexpr double calibration_seconds = 4;  // of each of two parts
// Below that, half of all processors wait: what is won in time is paid for twice.
constexpr double least_efficiency = 0.5;

int views_of(const TrainConfig& train) {
  return train.loss == LossKind::ns4gc ? 2 : 1;
}

double as_double(std::int64_t number) {
  return static_cast<double>(number);
}

// What a step's exchanges of rows take beside the interior rows that are computed meanwhile. Between machines rows are
// packed, and what is left of their way is waited for. On one machine nothing is packed for propagation, but a row that
// another core wrote comes out of its cache, as a copy would. pair_bytes: sent for the objective; halo_bytes: for
// propagation.
double exposed_seconds(const TrainingPlan& plan, const RankShare& share, const EncoderTraffic& encoder, int views,
                       double halo_bytes, double pair_bytes) {
  const auto interior =
      share.entries == 0 ? 0.0 : as_double(share.interior_entries) / as_double(share.entries) * as_double(share.cost());
  const auto one = [&](double bytes, std::int64_t columns) {
    if (share.neighbours == 0) return 0.0;
    const auto hidden = interior * plan.calibration.propagation * as_double(columns) / as_double(plan.columns);
    const auto transfer = exchange_seconds(plan.network, share.neighbours, plan.one_machine ? 0 : std::llround(bytes));
    return bytes * plan.calibration.copied_byte + std::max(0.0, transfer - hidden);
  };
  double seconds = 0;
  for (const auto columns : encoder.step) {
    const auto bytes = as_double(share.sent_rows * padded_stride(columns)) * sizeof(float);
    seconds += views * one(bytes, columns);
    halo_bytes -= views * bytes;
  }
  if (encoder.sparse > 0) seconds += one(halo_bytes, encoder.sparse);
  if (pair_bytes > 0) seconds += one(pair_bytes, plan.columns);
  // Through memory that two ranks share: copied in and out again.
  if (plan.one_machine) seconds += 2 * pair_bytes * plan.calibration.copied_byte;
  return seconds;
}

double seconds_of_sums(const TrainingPlan& plan, const StepSums& sums, const ShardLayout& layout) {
  const int ranks = layout.shards_of_rank.ranks();
  double seconds = 0;
  for (const auto bytes : sums.bytes) seconds += sum_seconds(plan.network, ranks, bytes);
  for (const auto numbers : sums.numbers) {
    std::int64_t most = 0;
    for (int rank = 0; rank < ranks; ++rank) most = std::max(most, shard_sum_bytes(layout, rank, numbers));
    seconds += shard_sum_seconds(plan.network, ranks, most);
  }
  return seconds;
}

// Embeddings of all rows that training shows: for checkpoints every so many epochs, and in the end.
std::int64_t views_of_training(const TrainConfig& train) {
  return 1 + (train.checkpoint_every > 0 ? (train.epochs - 1) / train.checkpoint_every : 0);
}

// What steps take, of the ranks that `shares` is of.
void plan_steps(const Session& session, const ShardedGraph& sharded, const Positives& positives,
                const PlanInputs& inputs, const Distribution& cuts, const RankShares& shares, const TrainingPlan& plan,
                RankPlan& result) {
  const auto& comm = session.comm();
  const auto traffic =
      epoch_traffic(comm, sharded, positives, shares, inputs.model, inputs.train, inputs.features.columns);
  const auto encoder = encoder_traffic(inputs.model, inputs.features.columns);
  const ShardLayout layout{cuts, sharded.graph.layout.position_begin};
  const auto sums = step_sums(inputs.model, inputs.train, inputs.features.columns);

  double slowest = 0;
  for (int rank = 0; rank < shares.ranks(); ++rank) {
    const auto& share = shares.rank[rank];
    const auto halo = as_double(traffic.halo_bytes[rank]) / as_double(traffic.steps);
    const auto pair = as_double(traffic.pair_bytes[rank]) / as_double(traffic.steps);
    const auto exposed = exposed_seconds(plan, share, encoder, views_of(inputs.train), halo, pair);
    const auto compute = plan.calibration.fixed + plan.calibration.per_cost * as_double(share.cost());
    if (compute + exposed > slowest) {
      slowest = compute + exposed;
      result.halo_seconds = exposed;
    }
    result.compute_seconds += compute / result.ranks;
    result.halo_bytes = std::max(result.halo_bytes, static_cast<std::int64_t>(std::ceil(halo)));
    result.pair_bytes = std::max(result.pair_bytes, static_cast<std::int64_t>(std::ceil(pair)));
    const auto views_shown = views_of_training(inputs.train);
    result.training_halo_bytes.push_back(inputs.train.epochs * traffic.halo_bytes[rank] +
                                         views_shown * traffic.view_bytes[rank]);
    result.training_pair_bytes.push_back(inputs.train.epochs * traffic.pair_bytes[rank]);
  }
  result.imbalance_seconds = std::max(0.0, slowest - result.halo_seconds - result.compute_seconds);
  result.sum_seconds = seconds_of_sums(plan, sums, layout);
  result.reduction_bytes = reduction_bytes(sums, layout);
  const auto one_rank = plan.calibration.fixed + plan.calibration.per_cost * as_double(plan.nodes + plan.entries);
  result.efficiency = one_rank / (result.ranks * result.seconds_per_step());
}

RankPlan plan_ranks(const Session& session, const ShardedGraph& sharded, const Positives& positives,
                    const PlanInputs& inputs, const Distribution& cuts, const TrainingPlan& plan) {
  const auto shares = rank_shares(session.comm(), sharded.graph, cuts);
  RankPlan result;
  result.ranks = cuts.ranks();
  std::int64_t interior = 0;
  std::int64_t ghosts = 0;
  std::int64_t dearest = 0;
  for (const auto& share : shares.rank) {
    interior += share.interior_entries;
    ghosts += share.ghosts;
    dearest = std::max(dearest, share.cost());
  }
  result.balance = as_double(dearest) * result.ranks / as_double(plan.nodes + plan.entries);
  result.interior_share = plan.entries == 0 ? 1.0 : as_double(interior) / as_double(plan.entries);
  result.ghosts_per_node = as_double(ghosts) / as_double(plan.nodes);
  if (plan.why_no_steps.empty()) plan_steps(session, sharded, positives, inputs, cuts, shares, plan, result);
  plan_memory(shares, inputs, plan, result);
  return result;
}

// Why none of them fits: of the one whose largest stage takes least.
std::string too_little(const TrainingPlan& plan) {
  const auto& best =
      *std::ranges::min_element(plan.ranks, {}, [](const RankPlan& each) { return each.largest().machine_bytes; });
  return fmt::format("none of them has the memory: of {} {} takes {} of a machine, and one like this has {}; {}",
                     counted(best.ranks, "rank"), best.largest().name, in_bytes(best.largest().machine_bytes),
                     in_bytes(plan.available_bytes),
                     plan.one_machine ? "--network plans a machine for each rank" : "ask for more ranks");
}

// Where nothing is known of steps: the fewest whose memory is there.
void advise_by_memory(TrainingPlan& plan) {
  const RankPlan* best = nullptr;
  for (const auto& each : plan.ranks) {
    if (plan.fits(each) && (best == nullptr || each.ranks < best->ranks)) best = &each;
  }
  if (best == nullptr) {
    plan.reason = too_little(plan);
    return;
  }
  plan.advised = best->ranks;
  plan.reason = fmt::format("of those whose memory is there, {} for {}, it is the smallest; more would be faster",
                            in_bytes(best->largest().machine_bytes), best->largest().name);
}

// What does not let steps be planned; empty: they can be.
std::string why_no_steps(const Config& config) {
  if (encoder_of(config) == EncoderKind::spectral) {
    return "nothing is trained (model.encoder is or comes to spectral), so there is no step to plan";
  }
  if (config.train.joint || config.train.loss == LossKind::dmon) {
    return std::string(config.train.joint ? "train.joint" : R"(train.loss = "dmon")") +
           ": what its steps send is not known beforehand";
  }
  return {};
}

// The most ranks that are at least half used, among those whose memory is there.
void advise(TrainingPlan& plan) {
  const RankPlan* best = nullptr;
  for (const auto& each : plan.ranks) {
    if (!plan.fits(each)) continue;
    const bool good = each.efficiency >= least_efficiency;
    const bool best_good = best != nullptr && best->efficiency >= least_efficiency;
    if (best == nullptr || (good && (!best_good || each.seconds_per_step() < best->seconds_per_step())) ||
        (!good && !best_good && each.efficiency > best->efficiency)) {
      best = &each;
    }
  }
  if (best == nullptr) {
    plan.reason = too_little(plan);
    return;
  }
  plan.advised = best->ranks;
  plan.reason = fmt::format("{:.0f} % of its processors' time goes into steps", 100 * best->efficiency);
  if (best->efficiency < least_efficiency) plan.reason += ", less than half, but with the others it is less still";
  const RankPlan* next = nullptr;
  for (const auto& each : plan.ranks) {
    if (each.ranks > best->ranks && (next == nullptr || each.ranks < next->ranks)) next = &each;
  }
  if (next == nullptr) return;
  if (!plan.fits(*next)) {
    plan.reason += fmt::format("; {} ranks would not have the memory for {}", next->ranks, next->largest().name);
    return;
  }
  const auto most = std::max({next->halo_seconds, next->sum_seconds, next->imbalance_seconds});
  const char* const cause = next->seconds_per_step() < 2 * plan.calibration.fixed ? "what every rank does alike"
                            : most == next->halo_seconds                          ? "rows of other ranks"
                            : most == next->sum_seconds                           ? "sums over all ranks"
                                                                                  : "shards that do not divide evenly";
  plan.reason += fmt::format("; of {} ranks it would be {:.0f} %, most of the rest lost to {}", next->ranks,
                             100 * next->efficiency, cause);
}

// The mean of all processes, each of which times its own shards.
StepCalibration calibration_of(const Session& session, const ShardedGraph& sharded, const Positives& positives,
                               const PlanInputs& inputs, const TrainingPlan& plan) {
  const auto& comm = session.comm();
  StepCalibration mean;
  spdlog::info("plan: timing steps of {} nodes and entries", with_commas(plan.nodes + plan.entries));
  TrainOptions train;
  train.model = inputs.model;
  train.train = inputs.train;
  train.threads = static_cast<int>(session.threads());
  train.features = inputs.features;
  StepCalibration mine;
  comm.attempt([&] { mine = calibrate_steps(comm.rank(), sharded.graph, positives, train, calibration_seconds); });
  const auto all = comm.all_gather(mine);
  for (const auto& each : all) {
    const auto share = 1.0 / static_cast<double>(all.size());
    mean.fixed += share * each.fixed;
    mean.per_cost += share * each.per_cost;
    mean.propagation += share * each.propagation;
    mean.copied_byte += share * each.copied_byte;
    mean.measured += each.measured;
  }
  return mean;
}

}  // namespace

const PlannedStage& RankPlan::stage(const std::string& name) const {
  const auto found = std::ranges::find_if(stages, [&](const PlannedStage& each) { return each.name == name; });
  COHORT_CHECK(found != stages.end());
  return *found;
}

const PlannedStage& RankPlan::largest() const {
  const auto to_run = [](const PlannedStage& each) { return each.done ? std::int64_t{-1} : each.machine_bytes; };
  return *std::ranges::max_element(stages, {}, to_run);
}

TrainingPlan plan_training(const Session& session, const PlanOptions& options) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  TrainingPlan plan;
  plan.why_no_steps = why_no_steps(config);
  plan.base_bytes = comm.max(peak_resident_bytes());
  // Before this command takes some of it.
  plan.available_bytes = comm.min(available_memory_bytes());
  const auto graph = load_graph(session, true);
  // The code and the buffers that reading takes stay.
  release_freed_memory();
  const auto reader = std::max(plan.base_bytes, comm.max(resident_bytes() - bytes_of(graph.dataset)));
  for (const int ranks : options.ranks) need_shards(std::ssize(graph.partition->shard_cost), ranks);
  const auto sharded = shard_graph(comm, graph_of(session, graph.dataset), *graph.partition);
  const auto positives = training_pairs(session, graph.dataset, sharded);
  const auto features = network_input(session, graph.dataset, sharded);

  auto inputs = plan_inputs(session, graph.dataset, positives, features);
  inputs.reader_bytes = reader;

  plan.encoder = word_of("model.encoder", encoder_of(config));
  plan.loss = word_of("train.loss", config.train.loss);
  plan.shards = sharded.graph.layout.shards();
  plan.nodes = sharded.graph.positions.total();
  plan.entries = comm.sum(std::ssize(sharded.graph.adjacency.column));
  plan.columns = inputs.model.dim;
  if (plan.why_no_steps.empty()) {
    plan.steps = steps_of_epoch(inputs.train, sharded.graph.users, positives);
    plan.epochs = inputs.train.epochs;
  }
  plan.one_machine = !options.network;
  plan.network = options.network.value_or(Interconnect());
  plan.traffic_exact = inputs.train.loss != LossKind::bpr || inputs.train.epochs == 1;

  if (plan.why_no_steps.empty()) plan.calibration = calibration_of(session, sharded, positives, inputs, plan);
  for (const int ranks : options.ranks) {
    const auto cuts = cut_points(graph.partition->shard_cost, ranks);
    plan.ranks.push_back(plan_ranks(session, sharded, positives, inputs, cuts, plan));
  }
  plan.why_no_steps.empty() ? advise(plan) : advise_by_memory(plan);
  return plan;
}

}  // namespace cohort
