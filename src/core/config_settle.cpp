#include "core/config_settle.hpp"

#include "core/config_trained_segments.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

// Grouping compares every two segments of the finest level.
constexpr std::int64_t most_nested_segments = 10'000;

// What only networks look at.
void settle_network(Config& config, const std::string& name) {
  auto& model = config.model;
  auto& train = config.train;
  const bool features = has_features(config);
  if (features && model.encoder == EncoderKind::automatic) model.encoder = EncoderKind::gcn;
  const bool network = model.encoder == EncoderKind::gcn || model.encoder == EncoderKind::sage;
  if (!network) {
    const auto needs_network = [&](const std::string& key) {
      throw InputError(name + ": " + key + R"( needs model.encoder = "gcn" or "sage")");
    };
    if (train.loss == LossKind::ns4gc) needs_network(R"(train.loss = "ns4gc")");
    if (train.loss == LossKind::dmon) needs_network(R"(train.loss = "dmon")");
    if (!model.widths.empty()) needs_network("model.widths");
    if (model.activation != Activation::automatic) needs_network("model.activation");
    if (model.edge_dropout != automatic_share) needs_network("model.edge_dropout");
    if (model.column_dropout != automatic_share) needs_network("model.column_dropout");
    if (model.smoothings != automatic_share) needs_network("model.smoothings");
    return;
  }
  if (train.loss == LossKind::automatic && train.sampler == SamplerKind::interactions && train.minutes == 0) {
    train.loss = features ? LossKind::ns4gc : LossKind::softmax;
  }
  const auto hidden = std::ssize(model.widths);
  // Of features DMoN reads one layer, as its authors have it; a second one costs a sixth of NMI on Cora
  // (docs/results.md).
  const std::int64_t usual_layers = features && train.loss == LossKind::dmon ? 1 : 2;
  if (model.layers == automatic_layers) model.layers = hidden > 0 ? hidden + 1 : usual_layers;
  if (model.layers == 0) throw InputError(name + ": model.layers is 0, but a network has one layer at least");
  if (hidden > 0 && model.layers != hidden + 1) {
    throw InputError(name + ": model.layers is " + std::to_string(model.layers) + ", but model.widths has " +
                     std::to_string(hidden) + " hidden layers, which makes " + std::to_string(hidden + 1));
  }
  if (model.dim == automatic_dim) model.dim = usual_dim;
  model.widths.resize(model.layers - 1, features ? 256 : model.dim);
  const bool contrasts = train.loss == LossKind::ns4gc;
  if (model.activation == Activation::automatic) model.activation = features ? Activation::selu : Activation::relu;
  if (model.edge_dropout == automatic_share) model.edge_dropout = contrasts ? 0.3 : 0.0;
  if (model.column_dropout == automatic_share) model.column_dropout = contrasts ? 0.2 : 0.0;
  // On a graph of users alone segments are what it is for: smoothed rows cut it at fewer edges (docs/results.md).
  // After NS4GC the first smoothing does so, a second one no more, and linked nodes get harder to tell.
  const bool of_users = config.graph.kind == GraphKind::user && train.loss != LossKind::dmon;
  const std::int64_t usual_smoothings = train.joint ? 0 : contrasts ? 1 : of_users ? 2 : 0;
  if (model.smoothings == automatic_share) model.smoothings = usual_smoothings;
}

// The last level is what everything that knows one clustering works with, so its number is segment.count.
void settle_levels(Config& config, const std::string& name) {
  auto& segment = config.segment;
  const auto& levels = segment.levels;
  if (levels.empty()) return;
  const auto refuse = [&](const std::string& why) { throw InputError(name + ": segment.levels " + why); };
  if (levels.size() == 1) {
    refuse("names one number, but levels are two or more; set segment.count to " + std::to_string(levels[0]) +
           " for one");
  }
  for (std::size_t level = 1; level < levels.size(); ++level) {
    if (levels[level] > levels[level - 1]) continue;
    refuse("must ascend, from few large segments to many small ones, but " + std::to_string(levels[level]) +
           " follows " + std::to_string(levels[level - 1]));
  }
  if (levels.back() > most_nested_segments) {
    refuse("ends in " + std::to_string(levels.back()) + ", but at most " + std::to_string(most_nested_segments) +
           " segments are nested");
  }
  if (segment.count == automatic_count) {
    refuse(R"(says how many segments there are, so segment.count cannot be "auto"; leave one of them out)");
  }
  if (segment.count != SegmentConfig().count && segment.count != levels.back()) {
    refuse("ends in " + std::to_string(levels.back()) +
           ", which is how many segments there are, but segment.count is " + std::to_string(segment.count) +
           "; leave segment.count out");
  }
  if (config.train.joint) refuse("and train.joint exclude each other; leave one of them out");
  segment.count = levels.back();
}

}  // namespace

void check_features(const Config& config, const std::string& name) {
  const auto& input = config.input;
  const auto encoder = config.model.encoder;
  const auto check = [&](const std::string& kind, std::size_t files, const std::string& ids, std::size_t scalings) {
    if (files == 0 && !ids.empty()) {
      throw InputError(name + ": input." + kind + "_feature_ids needs input." + kind + "_features");
    }
    if (scalings == 1 || scalings == files) return;
    throw InputError(name + ": input." + kind + "_feature_scaling has " + std::to_string(scalings) +
                     " entries, but input." + kind + "_features has " + std::to_string(files) +
                     "; give one for all files, or one for each");
  };
  check("user", input.user_features.size(), input.user_feature_ids, input.user_feature_scaling.size());
  check("item", input.item_features.size(), input.item_feature_ids, input.item_feature_scaling.size());
  if (!input.item_features.empty() && !items_are_nodes(config)) {
    throw InputError(name + R"(: input.item_features needs items as nodes: input.interactions and )" +
                     R"(graph.kind = "bipartite")");
  }
  if (has_features(config) && (encoder == EncoderKind::lightgcn || encoder == EncoderKind::spectral)) {
    throw InputError(name + ": input." + (input.user_features.empty() ? "item" : "user") +
                     R"(_features needs model.encoder = "gcn" or "sage")");
  }
}

void settle_config(Config& config, const std::string& name) {
  const auto& segment = config.segment;
  if (segment.count == automatic_count && segment.count_min > segment.count_max) {
    throw InputError(name + ": segment.count_min is " + std::to_string(segment.count_min) +
                     ", more than segment.count_max, " + std::to_string(segment.count_max));
  }
  auto& train = config.train;
  settle_levels(config, name);
  settle_network(config, name);
  if (train.loss == LossKind::automatic) {
    const bool bpr_alone = !items_are_nodes(config) || train.minutes > 0 || train.sampler == SamplerKind::lightgcn;
    train.loss = bpr_alone ? LossKind::bpr : LossKind::softmax;
  }
  auto& model = config.model;
  if (model.layers == automatic_layers) model.layers = train.loss == LossKind::softmax ? 2 : 3;
  const bool by_size =
      items_are_nodes(config) && model.encoder != EncoderKind::spectral && train.loss == LossKind::softmax;
  if (model.dim == automatic_dim && !by_size) model.dim = usual_dim;
  check_trained_segments(config, name);
}

}  // namespace cohort
