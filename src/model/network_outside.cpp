// The network on nodes that it was not trained on: what they take from the graph is kept of one pass over it, and they
// read it layer by layer as every neighbour does. A node that training did not see has its own features, or what the
// network has learned in their stead. What it lacks and nothing stands for (a row of layer 0, a file of features that
// all nodes of the graph are in) is the mean over the nodes of its kind that it is joined to, or, if its neighbours are
// items, whose items it shares: of features, of what the first layer's weights make of them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "kernels/activations.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"
#include "kernels/spmm.hpp"
#include "model/network.hpp"

namespace cohort {

namespace {

// A row at a time, so that its bits do not depend on which rows stand beside it.
Matrix times(const Matrix& rows, const Matrix& weight) {
  const Matrix by_column = transposed(weight.view());
  const PackedRows packed(by_column.view());
  Matrix result(rows.rows(), weight.columns());
  for_each_in_parallel(rows.rows(), [&](std::int64_t row) {
    inner_products(rows.view().slice(row, 1), packed, result.view().slice(row, 1));
  });
  return result;
}

void scale_rows(std::span<const double> factor, Matrix& rows) {
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    scale_into(static_cast<float>(factor[row]), rows.row(row), rows.row(row), rows.stride());
  }
}

std::vector<double> inverse(std::span<const double> degree) {
  std::vector<double> result;
  for (const auto d : degree) result.push_back(d > 0 ? 1 / d : 0.0);
  return result;
}

}  // namespace

// Of which the mean over a node's neighbours is the mean over its like: of an item, what its users have on average.
// rows: of the owned. Collective.
Matrix Network::rows_for_means(ConstMatrixView rows, bool by_items) {
  Matrix result;
  std::vector<float> scale;
  comm_.attempt([&] {
    result = copy_of(rows);
    if (by_items) scale_by_degree(value_, true, scale);
  });
  if (!by_items) return result;
  mix({value_, false, {}, scale}, rows, result.view());
  // Friends are of their kind.
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    if (graph_.node[row].value < graph_.users) std::copy_n(rows.row(row), rows.stride, result.row(row));
  }
  return result;
}

// The part of a weight's product with the features that one file's columns make. Local.
Matrix Network::projected_columns(const FeatureColumns& file, const Matrix& weight) const {
  std::vector<float> inside(feature_value_.size());
  for (std::size_t e = 0; e < inside.size(); ++e) {
    const std::int64_t column = feature_column_[e].value;
    inside[e] = column >= file.first && column < file.first + file.columns ? feature_value_[e] : 0.0F;
  }
  Matrix result(graph_.owned(), weight.columns());
  const SparseRows rows{feature_begin_, feature_column_, inside};
  by_shard([&](std::int64_t first, std::int64_t count) {
    spmm(rows, Rows(owned_).subspan(first, count), weight.view(), {}, 1.0F, result.view());
  });
  return result;
}

GraphRows Network::rows_for_outside(HaloMatrix& base, bool by_items, std::span<const FeatureColumns> files) {
  look(0, {});
  auto& slot = slots_.front();
  GraphRows result;
  ConstMatrixView in = base.view();
  if (feature_columns_ == 0) result.input = rows_for_means(in, by_items);
  for (const auto& file : files) {
    if (file.stand_in >= 0) continue;
    auto& by_weight = result.lacking.emplace_back();
    for (std::size_t which = 0; which < (is_sage() ? 2U : 1U); ++which) {
      Matrix projected;
      comm_.attempt([&] { projected = projected_columns(file, weight(slot, 0, which)); });
      by_weight.push_back(rows_for_means(projected.view(), by_items));
    }
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& layer = layers_[l];
    in = run_layer(slot, l, in);
    comm_.attempt([&] { result.layer.push_back(copy_of(last_mixed(layer.product_first ? layer.out : layer.in))); });
  }
  if (options_.smoothings == 0) return result;
  keep_directions(in);
  const Mixing plain{value_, true, plain_scale_, plain_scale_};
  for (int s = 0; s < options_.smoothings; ++s) {
    mix(plain, smooth_.view(), smooth_.view());
    comm_.attempt([&] { result.smoothed.push_back(copy_of(last_mixed(smooth_.columns()))); });
  }
  return result;
}

// Collective, as gather is.
Matrix Network::mean_outside(const OutsideNodes& nodes, const Matrix& rows) const {
  auto result = nodes.gather(rows.view());
  comm_.attempt([&] { scale_rows(inverse(nodes.degree), result); });
  return result;
}

// Their features times a weight of the first layer. Collective, as gather is.
Matrix Network::project_outside(const GraphRows& rows, const OutsideNodes& nodes, std::size_t which) const {
  COHORT_CHECK(nodes.features != nullptr && nodes.features->lacking.size() == rows.lacking.size());
  const auto& features = *nodes.features;
  const auto& weight = weights_[which].value;
  Matrix result;
  comm_.attempt([&] {
    result = Matrix(std::ssize(nodes.degree), weight.columns());
    for_each_in_parallel(result.rows(), [&](std::int64_t row) {
      const LocalRow at{static_cast<std::int32_t>(row)};
      spmm(features.rows(), std::span(&at, 1), weight.view(), {}, 1.0F, result.view());
    });
  });
  for (std::size_t f = 0; f < features.lacking.size(); ++f) {
    const auto& by_node = features.lacking[f];
    if (!comm_.any(std::ranges::find(by_node, 1) != by_node.end())) continue;
    const auto means = mean_outside(nodes, rows.lacking[f][which]);
    for (std::int64_t row = 0; row < result.rows(); ++row) {
      if (by_node[row] != 0) add_row(means.row(row), result.row(row), result.stride());
    }
  }
  return result;
}

// What mix() makes of rows of the graph, scaled before, for the nodes outside, whose own rows are `own`. Collective, as
// gather is.
Matrix Network::mix_outside(const OutsideNodes& nodes, const Matrix& rows, bool loops, Matrix own) const {
  if (!loops) return mean_outside(nodes, rows);
  auto result = nodes.gather(rows.view());
  comm_.attempt([&] {
    std::vector<double> root;
    for (const auto d : nodes.degree) root.push_back(1 / std::sqrt(1 + d));
    scale_rows(root, own);
    for (std::int64_t row = 0; row < result.rows(); ++row) add_row(own.row(row), result.row(row), result.stride());
    scale_rows(root, result);
  });
  return result;
}

Matrix Network::outside(const GraphRows& of_graph, const OutsideNodes& nodes) const {
  Matrix rows;
  if (feature_columns_ == 0) rows = mean_outside(nodes, of_graph.input);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& layer = layers_[l];
    const auto through = [&](std::size_t which) {
      if (l == 0 && feature_columns_ > 0) return project_outside(of_graph, nodes, which);
      Matrix result;
      comm_.attempt([&] { result = times(rows, weights_[layer.weight + which].value); });
      return result;
    };
    Matrix result;
    if (layer.product_first) {
      result = mix_outside(nodes, of_graph.layer[l], !is_sage(), is_sage() ? Matrix() : through(0));
    } else {
      Matrix own;
      comm_.attempt([&] { own = copy_of(rows.view()); });
      const auto mixed = mix_outside(nodes, of_graph.layer[l], !is_sage(), std::move(own));
      comm_.attempt([&] { result = times(mixed, weights_[layer.weight].value); });
    }
    if (is_sage()) {
      const auto own = through(1);
      for (std::int64_t row = 0; row < result.rows(); ++row) add_row(own.row(row), result.row(row), result.stride());
    }
    if (l + 1 < layers_.size()) options_.activation == Activation::selu ? selu(result.view()) : relu(result.view());
    rows = std::move(result);
  }
  if (of_graph.smoothed.empty()) return rows;
  for (std::int64_t row = 0; row < rows.rows(); ++row) to_direction(rows.row(row), rows.row(row), rows.stride());
  for (const auto& smoothed : of_graph.smoothed) rows = mix_outside(nodes, smoothed, true, std::move(rows));
  return rows;
}

}  // namespace cohort
