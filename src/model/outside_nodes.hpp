// Nodes that a graph does not have, as an encoder sees them: users who come after training.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "kernels/spmm.hpp"
#include "model/node_features.hpp"

namespace cohort {

/// What is known of this rank's, in the columns of the graph's NodeFeatures and scaled as those are.
struct OutsideFeatures {
  std::vector<std::int64_t> row_begin{0};
  std::vector<LocalRow> column;
  std::vector<float> value;
  std::vector<char> any;  ///< by node: whether a file has something of it
  /// By file that all users of the graph had something in, so that nothing was learned that stands for it: which nodes
  /// have nothing there, and take the mean of their like.
  std::vector<std::vector<char>> lacking;

  /// A view of it.
  SparseRows rows() const { return {row_begin, column, value}; }
};

/// tables: of the nodes, one for each of the graph's files of users' features, of as many columns; or none, where
/// nothing is known of them. Local.
OutsideFeatures outside_features(const NodeFeatures& of_graph, std::span<const FeatureTable> tables,
                                 std::int64_t nodes);

/// What such nodes take from the graph, by owned row: made once, for any number of them.
struct GraphRows {
  Matrix input;  ///< layer 0, of which the mean over neighbours is taken; empty where features are the input
  /// By file of features that all nodes of the graph are in, and by weight of the first layer: what the weight makes
  /// of the file, of which the mean over neighbours is taken.
  std::vector<std::vector<Matrix>> lacking;
  std::vector<Matrix> layer;     ///< what each layer mixes
  std::vector<Matrix> smoothed;  ///< and each smoothing
};

/// This rank's. The graph is as it was without them: nodes take from their neighbours, and give nothing.
struct OutsideNodes {
  std::span<const double> degree;  ///< of each: the sum of the weights of its edges into the graph
  /// rows: one a owned row, of any width. Returns for each node the sum over its edges of the weight times the
  /// neighbour's row, of the same width. Collective.
  std::function<Matrix(ConstMatrixView rows)> gather;
  const OutsideFeatures* features = nullptr;  ///< where the network reads features
};

}  // namespace cohort
