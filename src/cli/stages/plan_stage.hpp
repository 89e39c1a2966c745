// What training would take on some number of ranks, from the partition and what this machine's kernels do. The parts
// are their rooms': rows by graph/rank_shares, bytes by train/step_traffic, times of messages by comm/transfer_cost,
// steps by train/calibration, memory by train/training_memory. Here they are added up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "comm/transfer_cost.hpp"
#include "train/calibration.hpp"

namespace cohort {

struct PlanOptions {
  std::vector<int> ranks;
  std::optional<Interconnect> network;  ///< none: all ranks on one machine, else each on its own
};

/// The memory of a stage, run as a command of its own.
struct PlannedStage {
  const char* name = "";
  bool done = false;               ///< graph.h5 has what it makes, or it does not concern this graph
  std::int64_t bytes = 0;          ///< resident in the rank that has most, other ranks' rows that it reads included
  std::int64_t machine_bytes = 0;  ///< of a machine's ranks together, what they share once
};

/// Of one number of ranks. A step takes as long as its slowest rank.
struct RankPlan {
  int ranks = 0;
  double compute_seconds = 0;    ///< the mean of the ranks
  double imbalance_seconds = 0;  ///< what the slowest rank takes beside
  double halo_seconds = 0;       ///< exchanges that no interior work hides, of the slowest rank
  double sum_seconds = 0;        ///< sums over all ranks
  double balance = 0;            ///< nodes and entries of the rank that has most over their mean
  double interior_share = 0;     ///< of all entries
  double ghosts_per_node = 0;
  double efficiency = 0;                          ///< one rank's seconds over ranks times theirs
  std::int64_t halo_bytes = 0;                    ///< a step's, of the rank that sends most
  std::int64_t pair_bytes = 0;                    ///< the same for the objective's rows
  std::int64_t reduction_bytes = 0;               ///< the same for the sums
  std::vector<PlannedStage> stages;               ///< in the order that `run` has them
  std::vector<std::int64_t> training_halo_bytes;  ///< by rank, all of training: as the model's history records it
  std::vector<std::int64_t> training_pair_bytes;

  const PlannedStage& stage(const std::string& name) const;
  /// Of the stages that are still to be run, the one that takes most of a machine.
  const PlannedStage& largest() const;
  double seconds_per_step() const { return compute_seconds + imbalance_seconds + halo_seconds + sum_seconds; }
};

struct TrainingPlan {
  std::string why_no_steps;  ///< empty: there is everything; else steps, seconds and bytes sent are 0
  std::string encoder;
  std::string loss;
  std::int64_t shards = 0;
  std::int64_t nodes = 0;
  std::int64_t entries = 0;
  std::int64_t columns = 0;
  std::int64_t steps = 0;  ///< of an epoch
  std::int64_t epochs = 0;
  std::int64_t base_bytes = 0;       ///< of a process before it has read anything
  std::int64_t available_bytes = 0;  ///< of this machine
  Interconnect network;
  bool one_machine = true;
  bool traffic_exact = true;  ///< of all epochs, not only of the first
  StepCalibration calibration;
  std::vector<RankPlan> ranks;  ///< in the order of the options
  int advised = 0;              ///< 0: none fits
  std::string reason;

  /// Whether a machine that has left what this one has can take the largest stage.
  bool fits(const RankPlan& each) const { return each.largest().machine_bytes <= available_bytes; }
};

/// Reads graph.h5; writes nothing. Throws InputError: no partition, more ranks than shards.
/// Collective.
TrainingPlan plan_training(const Session& session, const PlanOptions& options);

}  // namespace cohort
