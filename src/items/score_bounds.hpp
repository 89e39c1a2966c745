// Upper bounds of inner products, by a quarter of their columns: most items are below a user's k best by so much that
// their score need not be computed to know it. The rows are turned into the principal axes of the items; of the leading
// ones the product is taken, of the others the product of their lengths (Cauchy and Schwarz). As in LEMP (Teflioudi et
// al. 2015) and FEXIPRO (Li et al. 2017, section 3: the turn by a singular value decomposition).
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"

namespace cohort {

class ScoreBounds {
 public:
  /// The axes, by some thousand of all ranks' items. items: this rank's, of `columns` columns unless it has none.
  /// Collective.
  ScoreBounds(const Communicator& comm, ConstMatrixView items, std::int64_t columns);

  /// False where rows are too short for bounds to save anything, or not finite. The same on all ranks.
  bool worthwhile() const { return kept_ > 0; }
  std::int64_t columns() const { return kept_ + 2; }

  /// Rows of which <of_users(u), of_items(v)>, in float32, is at least kernels/scores.hpp's product of u and v, the
  /// rounding of all of them included, or is not a number; where that product is below the least normal float32, it may
  /// be above it by as much. Local.
  Matrix of_users(ConstMatrixView rows) const { return turned(rows, 1); }
  Matrix of_items(ConstMatrixView rows) const;

 private:
  Matrix turned(ConstMatrixView rows, double slack) const;

  std::int64_t width_ = 0;    // of the rows
  std::int64_t kept_ = 0;     // leading axes
  std::vector<double> axis_;  // width x width, an axis after the other, of falling weight
};

}  // namespace cohort
