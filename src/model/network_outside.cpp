// The network on nodes that it was not trained on: layer by layer beside a pass over the graph, whose rows they read as
// every neighbour does. A node that training did not see has its own features, or what the network has learned in their
// stead. What it lacks and nothing stands for (a row of layer 0, a file of features that all nodes of the graph are in)
// is the mean over the nodes of its kind that it is joined to, or, if its neighbours are items, whose items it shares:
// of features, of what the first layer's weights make of them.
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

// rows: of the owned. Collective.
Matrix Network::mean_outside(const OutsideNodes& nodes, ConstMatrixView rows) {
  Matrix means;
  if (nodes.by_items) {
    std::vector<float> scale;
    comm_.attempt([&] {
      means = Matrix(rows.rows, rows.columns);
      scale_by_degree(value_, true, scale);
    });
    mix({value_, false, {}, scale}, rows, means.view());
    // Friends are of their kind.
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      if (graph_.node[row].value < graph_.users) std::copy_n(rows.row(row), rows.stride, means.row(row));
    }
  }
  auto result = nodes.gather(nodes.by_items ? ConstMatrixView(means.view()) : rows);
  comm_.attempt([&] { scale_rows(inverse(nodes.degree), result); });
  return result;
}

// Their features times a weight of the first layer. Collective.
Matrix Network::project_outside(const OutsideNodes& nodes, const Matrix& weight) {
  COHORT_CHECK(nodes.features != nullptr);
  const auto& features = *nodes.features;
  Matrix result;
  comm_.attempt([&] {
    result = Matrix(std::ssize(nodes.degree), weight.columns());
    for_each_in_parallel(result.rows(), [&](std::int64_t row) {
      const LocalRow at{static_cast<std::int32_t>(row)};
      spmm(features.rows(), std::span(&at, 1), weight.view(), {}, 1.0F, result.view());
    });
  });
  for (const auto& part : features.lacking) {
    if (!comm_.any(std::ranges::find(part.by_node, 1) != part.by_node.end())) continue;
    Matrix of_graph;
    comm_.attempt([&] {
      std::vector<float> inside(feature_value_.size());
      for (std::size_t e = 0; e < inside.size(); ++e) {
        const std::int64_t column = feature_column_[e].value;
        inside[e] = column >= part.first && column < part.first + part.columns ? feature_value_[e] : 0.0F;
      }
      of_graph = Matrix(graph_.owned(), weight.columns());
      const SparseRows rows{feature_begin_, feature_column_, inside};
      by_shard([&](std::int64_t first, std::int64_t count) {
        spmm(rows, Rows(owned_).subspan(first, count), weight.view(), {}, 1.0F, of_graph.view());
      });
    });
    const auto means = mean_outside(nodes, of_graph.view());
    for (std::int64_t row = 0; row < result.rows(); ++row) {
      if (part.by_node[row] != 0) add_row(means.row(row), result.row(row), result.stride());
    }
  }
  return result;
}

// What mix() makes of rows of the graph, for the nodes outside, whose own rows are `own`. Collective.
Matrix Network::mix_outside(const Mixing& mixing, const OutsideNodes& nodes, ConstMatrixView rows, Matrix own) const {
  Matrix before;
  comm_.attempt([&] {
    before = Matrix(rows.rows, rows.columns);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      scale_into(mixing.before.empty() ? 1.0F : mixing.before[row], rows.row(row), before.row(row), rows.stride);
    }
  });
  auto result = nodes.gather(before.view());
  comm_.attempt([&] {
    if (!mixing.loops) {
      scale_rows(inverse(nodes.degree), result);
      return;
    }
    std::vector<double> root;
    for (const auto d : nodes.degree) root.push_back(1 / std::sqrt(1 + d));
    scale_rows(root, own);
    for (std::int64_t row = 0; row < result.rows(); ++row) add_row(own.row(row), result.row(row), result.stride());
    scale_rows(root, result);
  });
  return result;
}

Matrix Network::outside(HaloMatrix& base, const OutsideNodes& nodes) {
  look(0, {});
  auto& slot = slots_.front();
  ConstMatrixView in = base.view();
  Matrix rows;
  if (feature_columns_ == 0) rows = mean_outside(nodes, in);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& layer = layers_[l];
    const bool of_features = l == 0 && feature_columns_ > 0;
    const auto of_graph = in;
    in = run_layer(slot, l, in);
    const auto through = [&](std::size_t which) {
      if (of_features) return project_outside(nodes, weight(slot, l, which));
      Matrix result;
      comm_.attempt([&] { result = times(rows, weight(slot, l, which)); });
      return result;
    };
    Matrix result;
    if (layer.product_first) {
      result = mix_outside(mixing(slot, false), nodes, product_.at(layer.out).view(), through(0));
    } else {
      Matrix own;
      comm_.attempt([&] { own = copy_of(rows.view()); });
      const auto mixed = mix_outside(mixing(slot, false), nodes, of_graph, std::move(own));
      comm_.attempt([&] { result = times(mixed, weight(slot, l, 0)); });
    }
    if (is_sage()) {
      const auto own = through(1);
      for (std::int64_t row = 0; row < result.rows(); ++row) add_row(own.row(row), result.row(row), result.stride());
    }
    if (l + 1 < layers_.size()) options_.activation == Activation::selu ? selu(result.view()) : relu(result.view());
    rows = std::move(result);
  }
  if (options_.smoothings == 0) return rows;
  keep_directions(in);
  for (std::int64_t row = 0; row < rows.rows(); ++row) to_direction(rows.row(row), rows.row(row), rows.stride());
  const Mixing plain{value_, true, plain_scale_, plain_scale_};
  for (int s = 0; s < options_.smoothings; ++s) {
    rows = mix_outside(plain, nodes, smooth_.view(), std::move(rows));
    mix(plain, smooth_.view(), smooth_.view());
  }
  return rows;
}

}  // namespace cohort
