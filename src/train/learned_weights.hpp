// The weights of an encoder, or of an objective, learned with Adam: every rank makes the same step from the same
// gradients. For the trainer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/matrix.hpp"
#include "model/weights.hpp"
#include "train/training_state.hpp"

namespace cohort {

class LearnedWeights {
 public:
  /// `weights` must outlive it. counter: the name of the number of steps in the state. Local.
  LearnedWeights(std::span<Weight> weights, std::string counter);

  /// Empty without weights.
  TrainingState state();
  /// A step of Adam on the gradients, by weight, and decay times the weight. Local.
  void update(double learning_rate, double decay, std::span<const Matrix> gradients);

 private:
  struct Moments {
    Matrix first;
    Matrix second;
  };
  std::span<Weight> weights_;
  std::vector<Moments> moments_;
  std::string counter_;
  Matrix gradient_;
  std::int64_t steps_ = 0;
};

}  // namespace cohort
