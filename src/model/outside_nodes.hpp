// Nodes that a graph does not have, as an encoder sees them: users who come after training.
#pragma once

#include <functional>
#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// This rank's. The graph is as it was without them: nodes take from their neighbours, and give nothing.
struct OutsideNodes {
  std::span<const double> degree;  ///< of each: the sum of the weights of its edges into the graph
  /// rows: one a owned row, of any width. Returns for each node the sum over its edges of the weight times the
  /// neighbour's row, of the same width. Collective.
  std::function<Matrix(ConstMatrixView rows)> gather;
  /// Their neighbours are items, so that nodes of their own kind are two edges away.
  bool by_items = false;
};

}  // namespace cohort
