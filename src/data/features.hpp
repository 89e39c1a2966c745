// What is known of nodes beside their edges: rows of numbers that a network takes as its input.
#pragma once

#include <cstdint>
#include <vector>

namespace cohort {

/// Features of the nodes, users and then items, in blocks over the ranks (Distribution::even of the graph's nodes, as
/// rows of model.h5 are): row i of this rank holds value[row_begin[i] .. row_begin[i + 1]) in columns `column`, which
/// ascend; a file of dense rows is what of it is not 0. The features of items have columns of their own, after those of
/// users, and each further file of either has its own after these.
struct Features {
  std::int64_t columns = 0;
  std::vector<std::int64_t> row_begin{0};
  std::vector<std::int32_t> column;
  std::vector<float> value;
  std::vector<bool> without;  ///< one a row: no file says anything of this node, which is not the same as all zeros

  std::int64_t rows() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
};

}  // namespace cohort
