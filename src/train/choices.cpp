#include "train/choices.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "kernels/rows.hpp"

namespace cohort {

TrainConfig with_choices(TrainConfig train, std::int64_t users) {
  COHORT_CHECK(train.loss != LossKind::automatic);
  if (train.decay == automatic_share) train.decay = train.loss == LossKind::bpr ? 1e-4 : 1e-5;
  if (train.loss == LossKind::bpr) {
    if (train.epochs == 0) train.epochs = 100;
    if (train.start == StartKind::automatic) train.start = StartKind::random;
    return train;
  }
  if (train.loss == LossKind::ns4gc || train.loss == LossKind::dmon) {
    const auto usual = train.loss == LossKind::ns4gc ? ns4gc_epochs : dmon_epochs;
    if (train.epochs == 0) train.epochs = train.steps == 0 ? usual : train.steps;
    if (train.batch == 0) train.batch = std::max<std::int64_t>(users, 1);
    if (train.learning_rate == 0) train.learning_rate = 0.001;
    if (train.start == StartKind::automatic) train.start = StartKind::spectral;
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
  if (train.temperature == 0) train.temperature = default_temperature;
  if (train.pair_weight == PairWeight::automatic) train.pair_weight = PairWeight::degree;
  if (train.length_power == automatic_power) train.length_power = default_length_power;
  return train;
}

std::int64_t joint_epochs(std::int64_t epochs) {
  return std::max<std::int64_t>((epochs + 2) / 4, 1);
}

ModelConfig with_width(ModelConfig model, std::int64_t nodes) {
  if (model.dim == automatic_dim) {
    model.dim = nodes >= widened_nodes && nodes <= most_widened_nodes ? widened_dim : usual_dim;
  }
  return model;
}

double bpr_rate(std::int64_t batch) {
  return std::clamp(0.001 * static_cast<double>(batch) / 2048, 0.001, 0.005);
}

void weigh_by_length(MatrixView items, double power) {
  for (std::int64_t row = 0; row < items.rows; ++row) {
    const double length = std::sqrt(row_dot(items.row(row), items.row(row), items.stride));
    if (length > 0) {
      scale_into(static_cast<float>(std::pow(length, power - 1)), items.row(row), items.row(row), items.stride);
    }
  }
}

EncoderKind encoder_of(const Config& config) {
  if (config.model.encoder != EncoderKind::automatic) return config.model.encoder;
  return items_are_nodes(config) ? EncoderKind::lightgcn : EncoderKind::spectral;
}

bool is_network(EncoderKind encoder) {
  return encoder == EncoderKind::gcn || encoder == EncoderKind::sage;
}

std::string ignored_settings(const Config& config) {
  const auto& train = config.train;
  const TrainConfig usual;
  const bool trained = encoder_of(config) != EncoderKind::spectral;
  const bool softmax = trained && train.loss == LossKind::softmax;
  const bool bpr = trained && train.loss == LossKind::bpr;
  std::string ignored;
  const auto look = [&](const char* key, bool looked_at, bool set) {
    if (looked_at || !set) return;
    if (!ignored.empty()) ignored += ", ";
    ignored.append("train.").append(key);
  };
  look("sampler", bpr, train.sampler != usual.sampler);
  look("start", trained && !has_features(config) && train.initial.empty(), train.start != usual.start);
  look("epochs", trained, train.epochs != usual.epochs);
  look("steps", trained && !bpr, train.steps != usual.steps);
  look("batch", bpr || softmax, train.batch != usual.batch);
  look("learning_rate", trained, train.learning_rate != usual.learning_rate);
  look("temperature", softmax, train.temperature != usual.temperature);
  look("pair_weight", softmax, train.pair_weight != usual.pair_weight);
  look("length_power", softmax && items_are_nodes(config), train.length_power != usual.length_power);
  look("decay", bpr || is_network(encoder_of(config)), train.decay != usual.decay);
  look("initial", trained, train.initial != usual.initial);
  look("minutes", trained, train.minutes != usual.minutes);
  look("checkpoint_every", trained, train.checkpoint_every != usual.checkpoint_every);
  look("checkpoint_minutes", trained, train.checkpoint_minutes != usual.checkpoint_minutes);
  return ignored;
}

LinearForm linear_form(const Config& config) {
  if (encoder_of(config) != EncoderKind::spectral) return {config.model.layers, true};
  return {1, items_are_nodes(config)};
}

bool by_direction(const Config& config) {
  if (config.segment.method == ClusterMethod::automatic) {
    return encoder_of(config) == EncoderKind::spectral || config.train.loss == LossKind::softmax || config.train.joint;
  }
  return config.segment.method == ClusterMethod::spherical;
}

}  // namespace cohort
