#include "model/outside_nodes.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// Of a node in one file.
FeatureRow row_of(const PairTable& rows, std::int64_t node, const FeatureScale& scale) {
  FeatureRow row;
  for (const auto k : places_of(rows.row_begin, node)) {
    row.emplace_back(static_cast<std::int32_t>(rows.other[k]), rows.weight[k]);
  }
  scale.apply(row);
  for (const auto& [column, value] : row) {
    if (std::isfinite(value)) continue;
    throw InputError("a value in column " + std::to_string(column) +
                     " of the features, counted from 0, is too large to be scaled as the training data's were; leave "
                     "out what stands for no value");
  }
  return row;
}

}  // namespace

OutsideFeatures outside_features(const NodeFeatures& of_graph, std::span<const FeatureTable> tables,
                                 std::int64_t nodes) {
  const auto& files = of_graph.user_files;
  COHORT_CHECK(tables.empty() || tables.size() == files.size());
  OutsideFeatures result;
  for (const auto& file : files) {
    if (file.stand_in < 0) result.lacking.emplace_back(nodes, 0);
  }
  result.any.assign(static_cast<std::size_t>(nodes), 0);
  for (std::int64_t node = 0; node < nodes; ++node) {
    FeatureRow all;
    if (of_graph.users_stand_in >= 0) all.emplace_back(static_cast<std::int32_t>(of_graph.users_stand_in), 1.0F);
    std::size_t lacking = 0;
    for (std::size_t f = 0; f < files.size(); ++f) {
      const auto row = tables.empty() ? FeatureRow() : row_of(tables[f].rows, node, files[f].scale);
      for (const auto& [column, value] : row) {
        all.emplace_back(static_cast<std::int32_t>(files[f].first) + column, value);
      }
      if (!row.empty()) result.any[node] = 1;
      if (files[f].stand_in < 0) {
        result.lacking[lacking++][node] = row.empty() ? 1 : 0;
      } else if (row.empty()) {
        all.emplace_back(static_cast<std::int32_t>(files[f].stand_in), 1.0F);
      }
    }
    std::ranges::sort(all);
    for (const auto& [column, value] : all) {
      result.column.emplace_back(column);
      result.value.push_back(value);
    }
    result.row_begin.push_back(std::ssize(result.column));
  }
  return result;
}

}  // namespace cohort
