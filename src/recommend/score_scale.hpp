// How a user's inner products are spread over all items, without computing them: their mean is <e_u, mean of e_i>,
// their variance e_u' C e_u, C being the covariance of the items' embeddings. So personal scores of all users can be
// put on one scale, z = (score - mean) / deviation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"

namespace cohort {

struct ScoreSpread {
  double mean = 0;
  double deviation = 0;  ///< 0 where all items score alike
};

/// Mean (d) and covariance (d x d) of the items' embeddings, the same on all ranks.
class ScoreScale {
 public:
  /// items: this rank's rows; together at least one. Embeddings are rounded to whole numbers of so many bits that the
  /// sums of their products are exact in 64 (22 bits at 200,000 items), so the ranks do not matter. Throws RunError
  /// where an embedding is no finite number. Collective.
  ScoreScale(const Communicator& comm, ConstMatrixView items);

  /// Of one user's inner products with all items; user: d. Local.
  ScoreSpread of(std::span<const float> user) const;

 private:
  std::int64_t columns_ = 0;
  std::vector<double> mean_;
  std::vector<double> covariance_;
};

}  // namespace cohort
