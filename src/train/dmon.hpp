// DMoN: a network and a linear head that share the nodes out among soft segments of high modularity
// (train/soft_modularity.hpp). An objective.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "train/objective.hpp"
#include "train/placed_rows.hpp"
#include "train/soft_modularity.hpp"

namespace cohort {

/// One step an epoch, over all nodes.
class Dmon final : public Objective {
 public:
  /// Of embeddings of `columns` columns and `count` segments. `graph` must outlive it. Throws RunError where the memory
  /// is not there; InputError where the graph has no edges. Collective.
  Dmon(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, std::int64_t count, std::uint64_t seed,
       int threads);

  /// None beside its weights.
  TrainingState state() override { return {}; }
  std::span<Weight> weights() override { return weights_; }
  std::span<const Matrix> weight_gradients() const override { return gradients_; }
  std::int64_t steps() const override { return 1; }
  std::int64_t samples() const override { return edges_; }
  void begin_epoch(std::int64_t /*epoch*/) override {}
  std::int64_t plan(std::int64_t /*first*/) override { return 1; }
  RowSelection rows(std::int64_t /*step*/, int /*view*/) const override { return all_rows_; }
  MatrixView outputs(std::int64_t /*step*/, int /*view*/) override { return placed_.by_place(); }
  SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                          std::span<double> loss_by_shard) override;
  std::span<const float> decay() const override { return no_decay_; }
  double rate_factor(std::int64_t /*step*/, std::int64_t /*total*/) const override { return 1; }
  ObjectiveTraffic traffic() const override { return {0, soft_.bytes_sent(), soft_.waiting_seconds()}; }

 private:
  SoftModularity soft_;
  std::int64_t edges_;  ///< of all ranks, both ways round
  RowSelection all_rows_;
  std::array<Weight, 2> weights_;
  std::array<Matrix, 2> gradients_;
  std::vector<float> no_decay_;
  PlacedRows placed_;
};

}  // namespace cohort
