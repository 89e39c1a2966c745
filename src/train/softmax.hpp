// The sampled softmax loss over a pool of candidates that a whole step shares, and its gradient by the propagated rows
// (Wu et al. 2022, "On the Effectiveness of Sampled Softmax Loss for Item Recommendation", arXiv:2201.02327, eq. 6 with
// cosines). A step takes some users with all their positives; the denominator is made once for a user, not once for
// each positive. An objective.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"
#include "comm/row_exchange.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "train/objective.hpp"

namespace cohort {

class PackedRows;

struct SoftmaxOptions {
  double temperature = 0.12;
  std::int64_t batch = 2048;  ///< users a step; every user once an epoch
  std::int64_t pool = 1024;   ///< candidates a step, uniform with replacement
  /// A pair weighs its user's degree to minus this: 1/2 lets the very active count for less, 0 all pairs alike.
  double degree_power = 0.5;
  std::uint64_t seed = 42;
};

/// With z a propagated row and c = <z_u, z_i> / (|z_u| |z_i|), the mean over all pairs, in expectation over steps, of
///   w_u (-c_ui / T + log sum over the pool's j of exp(c_uj / T)),
/// w_u = degree(u)^-power over its mean over pairs. Candidates and positives are a user's items, or its neighbours
/// where the graph has no items. A row of zeros has no direction: its cosines are 0, its gradient too.
class Softmax final : public Objective {
 public:
  /// Between embeddings of `columns` columns. `graph` must outlive it. Throws RunError where the memory is not there;
  /// InputError where no user has a positive. Collective.
  Softmax(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, const SoftmaxOptions& options,
          int threads);

  /// None: users and pool of a step are a function of (seed, epoch, step).
  TrainingState state() override { return {}; }
  std::int64_t steps() const override { return steps_; }
  std::int64_t samples() const override { return pairs_; }
  void begin_epoch(std::int64_t epoch) override;
  /// One step: what it takes is known without asking others.
  std::int64_t plan(std::int64_t first) override;
  RowSelection rows(std::int64_t /*step*/, int /*view*/) const override {
    return {interior_, interior_begin_, boundary_, boundary_begin_};
  }
  MatrixView outputs(std::int64_t step, int /*view*/) override { return value_.view().slice(0, rows(step, 0).size()); }
  SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                          std::span<double> loss_by_shard) override;
  std::span<const float> decay() const override { return no_decay_; }
  double rate_factor(std::int64_t step, std::int64_t total) const override;
  ObjectiveTraffic traffic() const override { return {0, exchange_.bytes_sent(), waiting_}; }

 private:
  /// What a thread writes while it works on a part of a shard.
  struct Scratch {
    Matrix unit;                           ///< users x d
    Matrix score;                          ///< users x pool
    Matrix by_candidate;                   ///< pool x users: the same, transposed
    Matrix pool;                           ///< pool x d
    Matrix sum;                            ///< rows x d
    std::vector<double> log_sum;           ///< by user
    std::vector<std::int64_t> fixed_pool;  ///< pool x d, sums over all its users in fixed point
    // Some rows of the graph without the columns that do not count.
    std::vector<std::int64_t> row_begin;
    std::vector<LocalRow> column;
    std::vector<float> factor;
  };
  using Rows = std::span<const LocalRow>;

  bool is_user(LocalRow row) const { return graph_.is_user(row); }
  bool is_target(LocalRow row) const { return graph_.items == 0 || !graph_.is_user(row); }
  bool is_chosen(LocalRow row) const { return step_of_[row.value] == step_; }
  void weigh_users();
  void find_candidates();
  void make_room();
  void choose_pool();
  void choose_rows();
  void plan_ghosts();
  void normalise();
  void gather_pool();
  /// What the denominators add, by user, and to pool_gradient_.
  void add_pool();
  void add_pool(std::int64_t first, Rows users, const PackedRows& pool, const PackedRows& by_column, Scratch& scratch);
  /// What the positives add; then the gradient by z itself.
  void add_positives(std::span<double> loss);
  template <class Factor>
  void sum_columns(LocalRow row, Factor factor, float* out, Scratch& scratch) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  HaloLayout halo_;
  SoftmaxOptions options_;
  int threads_;
  std::int64_t columns_;
  std::int64_t shards_;  ///< of this rank
  RowExchange exchange_;
  std::int64_t steps_ = 1;  ///< of an epoch
  std::int64_t pairs_ = 0;  ///< of all ranks
  std::uint32_t epoch_ = 0;
  std::int64_t step_ = -1;
  double fixed_scale_ = 1;

  std::vector<std::int32_t> step_of_;    ///< by local row: the step of the epoch that takes this user; -1: an item
  std::vector<std::int64_t> positives_;  ///< by owned row
  std::vector<float> weight_;            ///< by local row: c_u
  std::vector<std::pair<NodeId, LocalRow>> candidate_;  ///< owned ones, ascending

  // Of the step.
  std::vector<LocalRow> interior_;
  std::vector<std::int64_t> interior_begin_;
  std::vector<LocalRow> boundary_;
  std::vector<std::int64_t> boundary_begin_;
  std::vector<LocalRow> users_;  ///< chosen ones, ascending
  std::vector<std::int64_t> users_begin_;
  std::vector<LocalRow> ghost_;
  ExchangePlan ghost_halo_;
  std::vector<std::int32_t> place_;  ///< by owned row: among rows(); -1
  std::vector<std::pair<LocalRow, std::int32_t>>
      drawn_;                                ///< owned candidates of the pool and their places in it, by row
  std::vector<float> no_decay_;              ///< owned rows: zeros
  Matrix value_;                             ///< rows(), then ghosts: z, then the gradient
  std::vector<float> inverse_norm_;          ///< by place
  HaloMatrix unit_;                          ///< z / |z|
  Matrix pool_;                              ///< pool x d, rows of unit_
  std::vector<std::int64_t> pool_gradient_;  ///< pool x d, fixed point
  std::vector<double> log_sum_;              ///< by chosen user
  std::vector<Scratch> scratch_;
  double waiting_ = 0;
};

}  // namespace cohort
