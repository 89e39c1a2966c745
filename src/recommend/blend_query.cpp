#include "recommend/blend_query.hpp"

#include <algorithm>

#include "core/parallel.hpp"

namespace cohort {

namespace {
constexpr std::int64_t block_rows = 256;  // that a thread takes at a time
}  // namespace

BlendQuery::BlendQuery(ConstMatrixView rows, std::span<const std::int32_t> segment, const ScoreScale& scale,
                       const LogPrior& prior, double weight)
    : segment_(segment), shift_(prior.shift), weight_(weight) {
  spread_.resize(rows.rows);
  factor_.resize(spread_.size());
  for_each_in_parallel((rows.rows + block_rows - 1) / block_rows, [&](std::int64_t block) {
    for (auto row = block * block_rows; row < std::min(rows.rows, (block + 1) * block_rows); ++row) {
      auto& spread = spread_[row];
      spread = scale.of(rows.at(row));
      // Where all items score alike, the prior alone decides.
      if (!(spread.deviation > 0)) spread.deviation = 1;
      factor_[row] = static_cast<float>(weight * spread.deviation);
    }
  });
  prior_ = {segment_, factor_, prior.base, prior.begin, prior.row, prior.value};
}

float BlendQuery::score(std::int64_t row, float ranked) const {
  const auto& spread = spread_[row];
  const auto shift = shift_[segment_[row]];
  // The query's score has the deviation as its unit, rounded to float as the factor was.
  return static_cast<float>((static_cast<double>(ranked) - spread.mean) / spread.deviation - weight_ * shift);
}

}  // namespace cohort
