// How the numbers of one file of features are scaled, row by row: those of the graph's nodes, and later, by what these
// have shown, those of nodes that come after training.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/config.hpp"

namespace cohort {

/// (column, number), ascending by column.
using FeatureRow = std::vector<std::pair<std::int32_t, float>>;

struct FeatureScale {
  FeatureScaling kind = FeatureScaling::none;
  bool dense = false;           ///< columns: zeros that are not in a row are moved too
  std::vector<double> mean;     ///< columns: of each; empty: there was no row
  std::vector<double> inverse;  ///< 1 / deviation, 0 for a constant column

  /// Scales a row, and takes zeros out. A row without entries stays so. Local.
  void apply(FeatureRow& row) const;
};

}  // namespace cohort
