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
  /// Columns of a file of which some have nothing, while all users of the graph had something, so that nothing was
  /// learned that stands for it: those take the mean of their like.
  struct Lacking {
    std::int64_t first = 0;
    std::int64_t columns = 0;
    std::vector<char> by_node;
  };

  std::vector<std::int64_t> row_begin{0};
  std::vector<LocalRow> column;
  std::vector<float> value;
  std::vector<char> any;         ///< by node: whether a file has something of it
  std::vector<Lacking> lacking;  ///< as many on all ranks

  /// A view of it.
  SparseRows rows() const { return {row_begin, column, value}; }
};

/// tables: of the nodes, one for each of the graph's files of users' features, of as many columns; or none, where
/// nothing is known of them. Local.
OutsideFeatures outside_features(const NodeFeatures& of_graph, std::span<const FeatureTable> tables,
                                 std::int64_t nodes);

/// This rank's. The graph is as it was without them: nodes take from their neighbours, and give nothing.
struct OutsideNodes {
  std::span<const double> degree;  ///< of each: the sum of the weights of its edges into the graph
  /// rows: one a owned row, of any width. Returns for each node the sum over its edges of the weight times the
  /// neighbour's row, of the same width. Collective.
  std::function<Matrix(ConstMatrixView rows)> gather;
  /// Neighbours may be items, so that nodes of their own kind are two edges away.
  bool by_items = false;
  const OutsideFeatures* features = nullptr;  ///< where the network reads features
};

}  // namespace cohort
