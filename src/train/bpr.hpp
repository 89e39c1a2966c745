// BPR as an objective (Rendle et al. 2009): steps of sampled triples, planned many at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/objective.hpp"
#include "train/pair_loss.hpp"
#include "train/sampler.hpp"
#include "train/step_plan.hpp"

namespace cohort {

class Bpr final : public Objective {
 public:
  /// As make_objective(). columns: of the embedding.
  Bpr(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory, const Positives& positives,
      std::int64_t columns, const TrainConfig& config, int threads);

  /// None: a triple is a function of (seed, epoch, number).
  TrainingState state() override { return {}; }
  std::int64_t steps() const override { return sampler_.steps(); }
  std::int64_t samples() const override { return sampler_.triples(); }
  void begin_epoch(std::int64_t epoch) override { sampler_.begin_epoch(epoch); }
  std::int64_t plan(std::int64_t first) override;
  RowSelection rows(std::int64_t step, int /*view*/) const override { return planned(step).rows(); }
  MatrixView outputs(std::int64_t step, int /*view*/) override { return pairs_.embedding(planned(step)); }
  SparseGradient gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                          std::span<double> loss_by_shard) override;
  std::span<const float> decay() const override { return decay_; }
  double rate_factor(std::int64_t /*step*/, std::int64_t /*total*/) const override { return 1; }
  ObjectiveTraffic traffic() const override { return {remote_rows_, pairs_.bytes_sent(), pairs_.waiting_seconds()}; }

 private:
  const StepPlan& planned(std::int64_t step) const { return plans_.at(static_cast<std::size_t>(step - first_)); }
  void clear_decay();

  const Communicator& comm_;
  TripleSampler sampler_;
  StepPlanner planner_;
  PairLoss pairs_;
  std::int64_t first_ = 0;  ///< step of plans_.front()
  std::vector<StepPlan> plans_;
  std::vector<float> decay_;           ///< owned rows; zero but for those that the step at hand touches,
  std::span<const LocalRow> decayed_;  ///< which are these
  std::int64_t remote_rows_ = 0;
};

}  // namespace cohort
