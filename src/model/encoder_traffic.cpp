#include "model/encoder_traffic.hpp"

#include "core/error.hpp"

namespace cohort {

namespace {

// A layer of LightGCN is a product with Ahat. The last of the backward pass reads rows that have a gradient alone.
EncoderTraffic of_lightgcn(const ModelConfig& model) {
  EncoderTraffic traffic;
  traffic.all_rows.assign(model.layers, model.dim);
  if (model.layers == 0) return traffic;
  traffic.step.assign(2 * model.layers - 1, model.dim);
  traffic.sparse = model.dim;
  return traffic;
}

// A layer of a network propagates the narrower of its input and its result, forward and back.
EncoderTraffic of_network(const ModelConfig& model, std::int64_t feature_columns) {
  EncoderTraffic traffic;
  std::vector<std::int64_t> widths{feature_columns > 0 ? feature_columns : model.dim};
  widths.insert(widths.end(), model.widths.begin(), model.widths.end());
  widths.push_back(model.dim);
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    const bool by_features = layer == 0 && feature_columns > 0;
    const auto in = widths[layer];
    const auto out = widths[layer + 1];
    const auto mixed = by_features || out <= in ? out : in;
    traffic.step.insert(traffic.step.end(), 2, mixed);
    traffic.all_rows.push_back(mixed);
    traffic.weight_sizes.insert(traffic.weight_sizes.end(), model.encoder == EncoderKind::sage ? 2 : 1, in * out);
  }
  traffic.all_rows.insert(traffic.all_rows.end(), model.smoothings, model.dim);
  return traffic;
}

}  // namespace

EncoderTraffic encoder_traffic(const ModelConfig& model, std::int64_t feature_columns) {
  COHORT_CHECK(model.encoder != EncoderKind::spectral && model.dim > 0);
  const bool network = model.encoder == EncoderKind::gcn || model.encoder == EncoderKind::sage;
  return network ? of_network(model, feature_columns) : of_lightgcn(model);
}

}  // namespace cohort
