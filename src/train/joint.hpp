// The joint phase: centres are trained together with the rows and weights of an encoder, so that the segments that they
// make have a high modularity (train/soft_modularity.hpp), while another objective goes on. An objective.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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

/// Of one epoch of the phase; the same on all ranks.
struct JointStats {
  double objective = 0;    ///< mean of the other objective's loss over the epoch's steps
  double modularity = 0;   ///< the same of the loss that is added to it
  std::int64_t moved = 0;  ///< users whose segment, at the last step, is another than at that of the epoch before
};

struct JointOptions {
  double weight = 1;         ///< of the loss that is added
  double temperature = 0.1;  ///< cosines are divided by it
};

/// The other objective's loss plus `weight` times that of the softmax, over centres, of <z, c_j> / (|z| |c_j| T), for
/// all nodes: items are shared out like users, since a graph of users and items joins no user with a user. It is one
/// view more, of nothing corrupted. A row of zeros has no direction: its cosines are 0, its gradient too.
class Joint final : public Objective {
 public:
  /// Goes on with `other`, between epochs. `graph` must outlive it. Centres are zero: see weights(). Throws RunError
  /// where the memory is not there, InputError where the graph has no edges. Collective.
  Joint(const Communicator& comm, const ShardGraph& graph, std::unique_ptr<Objective> other, std::int64_t columns,
        std::int64_t count, const JointOptions& options, int threads);

  TrainingState state() override;
  /// The centres alone, `centres_name`.
  std::span<Weight> weights() override { return centres_; }
  std::span<const Matrix> weight_gradients() const override { return gradients_; }
  std::int64_t steps() const override { return other_->steps(); }
  std::int64_t samples() const override { return other_->samples(); }
  int views() const override { return other_->views() + 1; }
  bool corrupts(int view) const override { return !is_own(view); }
  void begin_epoch(std::int64_t epoch) override { other_->begin_epoch(epoch); }
  std::int64_t plan(std::int64_t first) override { return other_->plan(first); }
  RowSelection rows(std::int64_t step, int view) const override {
    return is_own(view) ? all_rows_ : other_->rows(step, view);
  }
  MatrixView outputs(std::int64_t step, int view) override {
    return is_own(view) ? placed_.by_place() : other_->outputs(step, view);
  }
  SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                          std::span<double> loss_by_shard) override;
  std::span<const float> decay() const override { return other_->decay(); }
  double rate_factor(std::int64_t step, std::int64_t total) const override { return other_->rate_factor(step, total); }
  ObjectiveTraffic traffic() const override;

  /// Of the epoch whose steps are done, of this mean loss; begins to count anew. Local.
  JointStats take_stats(double loss);

 private:
  bool is_own(int view) const { return view == other_->views(); }
  void scale_to_length_one();
  void look_who_moved(bool last_step);

  const Communicator& comm_;
  const ShardGraph& graph_;
  JointOptions options_;
  std::unique_ptr<Objective> other_;
  SoftModularity soft_;
  int threads_;
  RowSelection all_rows_;
  std::array<Weight, 1> centres_;
  std::array<Matrix, 1> gradients_;
  Matrix unit_centres_;
  PlacedRows placed_;
  Matrix unit_;                      ///< by owned row: z / |z|
  std::vector<float> inverse_norm_;  ///< by owned row
  Matrix segment_;                   ///< owned x 1: at the last step of the epoch before; whole numbers
  std::int64_t begun_ = 0;           ///< whether there are such
  std::int64_t moved_ = 0;
  double modularity_ = 0;  ///< sum over the steps done of the epoch at hand
};

}  // namespace cohort
