// What training does where the configuration leaves the choice ("auto"): by loss and by the number of users.
#pragma once

#include <cstdint>

#include "core/config.hpp"

namespace cohort {

/// Steps that softmax plans: in prototypes on six sets of 1,880 to 75,000 users more of them gained nothing but on
/// dense data (docs/algorithms.md).
constexpr std::int64_t planned_steps = 200;

/// `train` with every choice made but the batch of BPR, which goes by the number of positives (train/sampler.hpp).
///   bpr      100 epochs, rate 0.001, from random rows
///   softmax  steps planned_steps, or as many epochs as come nearest to them, at least one; batch 2,048 users, or a
///   64th
///            of them if that is more; rate 0.02; from the spectral embedding
/// Throws InputError: train.minutes with a loss whose rate follows a planned number of steps. Local.
TrainConfig with_choices(TrainConfig train, std::int64_t users);

/// model.encoder, "auto" being spectral where there are no interactions. Local.
EncoderKind encoder_of(const Config& config);

/// How the embedding of users follows from the rows that the model keeps (its parameters E): 1/(L+1) (E_u + ...), as
/// explain/explanation.hpp has it. Of spectral embeddings L is 1, and where there are no interactions, the user's own
/// row does not count. Local.
struct LinearForm {
  std::int64_t layers = 3;
  bool own_rows = true;
};
LinearForm linear_form(const Config& config);

/// Whether users are told apart by the direction of their rows: where segment.method says so, or, where it is "auto",
/// the loss looks at cosines or the embedding is spectral.
bool by_direction(const Config& config);

}  // namespace cohort
