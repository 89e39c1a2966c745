#include "model/feature_scaling.hpp"

#include <algorithm>
#include <cmath>

namespace cohort {

namespace {

// By the sum of magnitudes, or the length.
void scale_by_size(FeatureScaling kind, FeatureRow& row) {
  double size = 0;
  for (const auto& [column, value] : row) {
    const auto number = static_cast<double>(value);
    size += kind == FeatureScaling::sum ? std::fabs(number) : number * number;
  }
  if (kind == FeatureScaling::length) size = std::sqrt(size);
  if (size == 0) return;
  for (auto& entry : row) entry.second = static_cast<float>(static_cast<double>(entry.second) / size);
}

void standardise(const FeatureScale& scale, FeatureRow& row) {
  if (!scale.dense) {
    for (auto& [column, value] : row) {
      value = static_cast<float>(static_cast<double>(value) * scale.inverse[column]);
    }
    return;
  }
  const auto columns = scale.mean.size();
  FeatureRow whole(columns);
  for (std::size_t c = 0; c < columns; ++c) whole[c] = {static_cast<std::int32_t>(c), 0.0F};
  for (const auto& [column, value] : row) whole[column].second = value;
  for (std::size_t c = 0; c < columns; ++c) {
    whole[c].second = static_cast<float>((static_cast<double>(whole[c].second) - scale.mean[c]) * scale.inverse[c]);
  }
  row = std::move(whole);
}

}  // namespace

void FeatureScale::apply(FeatureRow& row) const {
  const bool has_features = std::ranges::any_of(row, [](const auto& entry) { return entry.second != 0; });
  if (kind == FeatureScaling::columns) {
    if (!row.empty() && !mean.empty()) standardise(*this, row);
  } else if (kind != FeatureScaling::none) {
    scale_by_size(kind, row);
  }
  std::erase_if(row, [](const auto& entry) { return entry.second == 0; });
  // What is average in all is not what lacks features.
  if (has_features && row.empty()) row.emplace_back(0, 0.0F);
}

}  // namespace cohort
