#include "train/bpr.hpp"

#include <algorithm>

#include "train/training_memory.hpp"

namespace cohort {

Bpr::Bpr(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory, const Positives& positives,
         std::int64_t columns, const TrainConfig& config, int threads)
    : comm_(comm),
      sampler_(comm, graph, directory, positives, config),
      planner_(comm, graph, sampler_, threads),
      pairs_(comm, columns, config.decay, threads) {
  comm.attempt([&] { decay_.assign(graph.owned(), 0.0F); });
}

std::int64_t Bpr::plan(std::int64_t first) {
  clear_decay();
  const auto together =
      std::clamp<std::int64_t>(triples_at_a_time * comm_.size() / sampler_.batch(), 1, steps_at_a_time);
  plans_.clear();  // the new ones need the memory
  plans_ = planner_.plan(first, std::min(steps(), first + together));
  first_ = first;
  comm_.attempt([&] { pairs_.reserve(plans_); });
  return std::ssize(plans_);
}

SparseGradient Bpr::gradient(std::int64_t step, int /*view*/, ConstMatrixView layer_zero,
                             std::span<double> loss_by_shard) {
  const auto& plan = planned(step);
  const auto gradient = pairs_.gradient(plan, layer_zero, loss_by_shard);
  clear_decay();
  for (std::size_t i = 0; i < plan.touched.size(); ++i) {
    decay_[plan.touched[i].value] = pairs_.decay_of(plan, i);
  }
  decayed_ = plan.touched;
  remote_rows_ += plan.fetched();
  return gradient;
}

void Bpr::clear_decay() {
  for (const LocalRow row : decayed_) decay_[row.value] = 0;
  decayed_ = {};
}

}  // namespace cohort
