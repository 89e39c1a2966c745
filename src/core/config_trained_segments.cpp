#include "core/config_trained_segments.hpp"

#include "core/error.hpp"

namespace cohort {

void check_trained_segments(const Config& config, const std::string& name) {
  const auto& train = config.train;
  const auto& segment = config.segment;
  const auto encoder = config.model.encoder;
  const bool trained = encoder != EncoderKind::spectral &&
                       (encoder != EncoderKind::automatic || items_are_nodes(config) || has_features(config));
  if (!train.initial.empty() && !trained) {
    throw InputError(name + R"(: train.initial needs a model.encoder that is trained; "spectral" is computed anew)");
  }
  const bool dmon = train.loss == LossKind::dmon;
  if (!train.joint && !(dmon && trained)) return;
  const std::string key = train.joint ? "train.joint" : R"(train.loss = "dmon")";
  const auto refuse = [&](const std::string& why) { throw InputError(name + ": " + key + " " + why); };
  if (!trained) refuse(R"(needs a model.encoder that is trained, which "spectral" is not)");
  if (dmon && train.joint) refuse(R"(does not go with train.loss = "dmon", which trains its segments from the start)");
  if (train.joint && train.minutes > 0) {
    refuse("does not go with train.minutes: it is the last share of a planned number of epochs; set train.epochs");
  }
  if (segment.count == automatic_count) {
    refuse(R"(needs to know how many segments there are: set segment.count to a number, not "auto")");
  }
  if (!segment.levels.empty()) refuse("trains one level of segments: leave out segment.levels");
  if (!segment.previous.empty()) {
    refuse("leaves nothing for segment.previous to start from: leave it out" +
           std::string(train.joint ? ", and start from yesterday's centres by train.initial" : ""));
  }
  if (train.joint && segment.method == ClusterMethod::kmeans) {
    refuse(R"(trains centres by cosines: leave out segment.method = "kmeans")");
  }
  if (dmon && segment.method != ClusterMethod::automatic) {
    refuse("says itself who is in which segment: leave out segment.method");
  }
  if (config.model.smoothings > 0) {
    refuse("trains segments of what the network returns: leave out model.smoothings");
  }
}

}  // namespace cohort
