#include "train/learned_weights.hpp"

#include <utility>

#include "core/error.hpp"
#include "kernels/rows.hpp"

namespace cohort {

LearnedWeights::LearnedWeights(std::span<Weight> weights, std::string counter)
    : weights_(weights), counter_(std::move(counter)) {
  for (const auto& weight : weights) {
    moments_.push_back(
        {Matrix(weight.value.rows(), weight.value.columns()), Matrix(weight.value.rows(), weight.value.columns())});
  }
}

TrainingState LearnedWeights::state() {
  TrainingState state;
  for (std::size_t w = 0; w < weights_.size(); ++w) {
    const auto& name = weights_[w].name;
    state.replicated[name] = weights_[w].value.view();
    state.replicated["adam/first/" + name] = moments_[w].first.view();
    state.replicated["adam/second/" + name] = moments_[w].second.view();
  }
  if (!weights_.empty()) state.numbers[counter_] = &steps_;
  return state;
}

void LearnedWeights::update(double learning_rate, double decay, std::span<const Matrix> gradients) {
  COHORT_CHECK(gradients.size() == weights_.size());
  const auto adam = adam_step(learning_rate, ++steps_);
  for (std::size_t w = 0; w < weights_.size(); ++w) {
    auto& value = weights_[w].value;
    gradient_ = copy_of(gradients[w].view());
    const auto count = value.rows() * value.stride();
    add_scaled(static_cast<float>(decay), value.row(0), gradient_.row(0), count);
    adam_update(adam, gradient_.row(0), value.row(0), moments_[w].first.row(0), moments_[w].second.row(0), count);
  }
}

}  // namespace cohort
