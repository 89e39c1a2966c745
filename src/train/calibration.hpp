// How long a training step takes on this machine, measured on a part of the graph. For predictions.
#pragma once

#include <cstdint>

#include "graph/shard_graph.hpp"
#include "train/positives.hpp"
#include "train/trainer.hpp"

namespace cohort {

/// Of one rank alone with the threads that were asked for; all in seconds.
struct StepCalibration {
  double fixed = 0;           ///< of a step, whatever the rank owns
  double per_cost = 0;        ///< of a step, for each node and entry that the rank owns
  double propagation = 0;     ///< of one propagation of model.dim columns, for each node and entry
  double copied_byte = 0;     ///< for each byte of rows that is packed for others
  std::int64_t measured = 0;  ///< nodes and entries of the larger of the two parts that were measured
};

/// Trains a part of this process's rows, without the edges that leave it, and a smaller one, each for about `seconds`:
/// steps of the shape that they have in training, of as large a share of users and pairs as the part has of the nodes.
/// options: without "auto". Throws InputError where the rows have nothing to train on. Only this process takes part.
StepCalibration calibrate_steps(int rank, const ShardGraph& graph, const Positives& positives,
                                const TrainOptions& options, double seconds);

}  // namespace cohort
