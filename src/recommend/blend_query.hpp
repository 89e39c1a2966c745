// Rows of embeddings with their segments, ready to be ranked by the blend. Internal to recommend/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "items/top_items.hpp"
#include "recommend/score_scale.hpp"
#include "recommend/segment_prior.hpp"

namespace cohort {

/// The prior and the scale of every row, for a query whose score is <e, e_i> + deviation * w * log-prior value: in the
/// order of the blend, and turned into it by score(). Holds what the query points at.
class BlendQuery {
 public:
  /// rows, segment: of the users to rank, which must outlive this. Local.
  BlendQuery(ConstMatrixView rows, std::span<const std::int32_t> segment, const ScoreScale& scale,
             const LogPrior& prior, double weight);

  /// nullptr where the weight is 0.
  const ItemPrior* prior() const { return weight_ > 0 ? &prior_ : nullptr; }
  /// z + w log p(i|s) from the score of a row in the query.
  float score(std::int64_t row, float ranked) const;

 private:
  std::span<const std::int32_t> segment_;
  std::span<const double> shift_;
  double weight_;
  std::vector<ScoreSpread> spread_;
  std::vector<float> factor_;
  ItemPrior prior_;
};

}  // namespace cohort
