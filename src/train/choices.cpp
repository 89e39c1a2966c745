#include "train/choices.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace cohort {

TrainConfig with_choices(TrainConfig train, std::int64_t users) {
  if (train.loss == LossKind::bpr) {
    if (train.epochs == 0) train.epochs = 100;
    if (train.learning_rate == 0) train.learning_rate = 0.001;
    if (train.start == StartKind::automatic) train.start = StartKind::random;
    return train;
  }
  if (train.minutes > 0) {
    throw InputError(
        "train.minutes does not go with train.loss = \"softmax\", whose learning rate follows the number of steps that "
        "are planned: set train.steps instead");
  }
  if (train.batch == 0) train.batch = std::max<std::int64_t>(2048, (users + 63) / 64);
  const std::int64_t steps = train.steps == 0 ? planned_steps : train.steps;
  const std::int64_t in_epoch = std::max<std::int64_t>((users + train.batch - 1) / train.batch, 1);
  if (train.epochs == 0) train.epochs = std::max<std::int64_t>((steps + in_epoch / 2) / in_epoch, 1);
  if (train.learning_rate == 0) train.learning_rate = 0.02;
  if (train.start == StartKind::automatic) train.start = StartKind::spectral;
  return train;
}

EncoderKind encoder_of(const Config& config) {
  if (config.model.encoder != EncoderKind::automatic) return config.model.encoder;
  return config.input.interactions.empty() ? EncoderKind::spectral : EncoderKind::lightgcn;
}

LinearForm linear_form(const Config& config) {
  if (encoder_of(config) != EncoderKind::spectral) return {config.model.layers, true};
  return {1, !config.input.interactions.empty()};
}

bool by_direction(const Config& config) {
  if (config.segment.method == "auto") {
    return encoder_of(config) == EncoderKind::spectral || config.train.loss == LossKind::softmax;
  }
  return config.segment.method == "spherical";
}

}  // namespace cohort
