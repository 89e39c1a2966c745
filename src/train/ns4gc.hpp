// NS4GC's objective (Liu et al. 2024, "Reliable Node Similarity Matrix Guided Contrastive Graph Clustering",
// arXiv:2408.03765): of two corrupted views of the graph, a node shall be like itself and like its neighbours, and
// unlike the others. Nodes of a shared pool stand for all others.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/shard_sum.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "model/weights.hpp"
#include "train/objective.hpp"

namespace cohort {

struct Ns4gcOptions {
  std::int64_t pool = 512;  ///< nodes a step, uniform with replacement
  double split = 0.6;       ///< cosines above it count as alike
  double width = 0.1;       ///< of the step from unlike to alike
  std::uint64_t seed = 42;
};

/// With u, v the rows of the two views scaled to length 1, one step an epoch, over all nodes:
///   - mean over i of <u_i, v_i> - mean over edges (i, j), both ways round, of <u_i, v_j>
///   + mean over i and j of the pool of sigmoid((<u_i, v_j> - split) / width).
/// A row of zeros has no direction: its cosines are 0, its gradient too.
class Ns4gc final : public Objective {
 public:
  /// Between embeddings of `columns` columns. `graph` must outlive it. Throws RunError where the memory is not there;
  /// InputError where the graph has no edges. Collective.
  Ns4gc(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, const Ns4gcOptions& options,
        int threads);

  /// None: the pool is a function of (seed, epoch).
  TrainingState state() override { return {}; }
  std::int64_t steps() const override { return 1; }
  std::int64_t samples() const override { return edges_; }
  int views() const override { return 2; }
  void begin_epoch(std::int64_t epoch) override { epoch_ = static_cast<std::uint32_t>(epoch); }
  std::int64_t plan(std::int64_t first) override;
  RowSelection rows(std::int64_t /*step*/, int /*view*/) const override { return propagation_.all_rows(); }
  MatrixView outputs(std::int64_t /*step*/, int view) override { return value_[view].view(); }
  SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                          std::span<double> loss_by_shard) override;
  std::span<const float> decay() const override { return no_decay_; }
  double rate_factor(std::int64_t /*step*/, std::int64_t /*total*/) const override { return 1; }
  ObjectiveTraffic traffic() const override { return {0, propagation_.bytes_sent(), propagation_.waiting_seconds()}; }

 private:
  /// What a thread writes while it works on a block of rows.
  struct Scratch {
    Matrix slope;  ///< rows x pool
  };

  void normalise(int view);
  void sum_neighbours(int view);
  void gather_pool();
  void add_pool(std::span<double> loss);
  void add_pairs(std::span<double> loss);
  std::pair<std::int64_t, std::int64_t> rows_of(std::int64_t shard) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  Ns4gcOptions options_;
  Propagation propagation_;
  ShardSum shard_sum_;
  int threads_;
  std::int64_t columns_;
  std::int64_t shards_;
  std::int64_t nodes_;      ///< of all ranks
  std::int64_t edges_ = 0;  ///< of all ranks, both ways round
  std::uint32_t epoch_ = 0;

  std::vector<float> ones_;                         ///< by entry
  std::vector<std::pair<NodeId, LocalRow>> owned_;  ///< ascending
  std::vector<std::int64_t> place_;                 ///< by owned row: among rows()
  std::vector<float> no_decay_;
  ExchangePlan no_halo_;
  std::vector<std::pair<LocalRow, std::int32_t>> drawn_;  ///< owned nodes of the pool and their places in it, by row
  Matrix value_[2];                                       ///< by place: z, then the gradient by it
  std::vector<float> inverse_norm_[2];                    ///< by place
  HaloMatrix unit_[2];                                    ///< by owned row
  Matrix neighbours_[2];                                  ///< by owned row: the sum over the neighbours' unit rows
  Matrix pool_;                                           ///< pool x d, rows of unit_[1]
  Matrix pool_gradient_;                                  ///< pool x d
  std::vector<Scratch> scratch_;
};

}  // namespace cohort
