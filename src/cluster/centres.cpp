#include "cluster/centres.hpp"

#include <algorithm>
#include <cmath>

namespace cohort {

ScoredCentres::ScoredCentres(ConstMatrixView centres) : columns_(static_cast<double>(centres.columns)) {
  std::vector<double> mean(centres.columns, 0.0);
  for (std::int64_t j = 0; j < centres.rows; ++j) {
    for (std::size_t e = 0; e < mean.size(); ++e) mean[e] += static_cast<double>(centres.row(j)[e]);
  }
  double mean_square = 0;
  for (auto& element : mean) {
    element /= static_cast<double>(centres.rows);
    mean_square += element * element;
  }
  mean_length_ = std::sqrt(mean_square);
  Matrix around(centres.rows, centres.columns);
  offset_.resize(centres.rows);
  for (std::int64_t j = 0; j < centres.rows; ++j) {
    double square = 0;
    double with_mean = 0;
    for (std::size_t e = 0; e < mean.size(); ++e) {
      const auto element = static_cast<float>(static_cast<double>(centres.row(j)[e]) - mean[e]);
      around.row(j)[e] = element;
      square += static_cast<double>(element) * static_cast<double>(element);
      with_mean += static_cast<double>(element) * mean[e];
    }
    const double offset = square + 2 * with_mean;
    offset_[j] = static_cast<float>(offset);
    radius_ = std::max(radius_, std::sqrt(square));
    largest_offset_ = std::max(largest_offset_, std::abs(offset));
  }
  packed_ = PackedRows(around.view());
}

double ScoredCentres::error(double length) const {
  // u: half a unit in the last place. The product of d columns errs by d u |x||c - m| (a chain of fused operations) and
  // counts twice; the offset and the score are rounded once each; c - m is rounded, which moves the centre by u radius.
  // 1.1 for the higher orders; then what float64 itself loses, and what underflows.
  constexpr double u = 0x1p-24;
  const double reach = length + mean_length_ + radius_;
  const double single = u * ((2 * columns_ + 2) * length * radius_ + 2 * largest_offset_ + 2 * reach * radius_);
  return 1.1 * single + 0x1p-51 * (columns_ + 8) * reach * reach + (columns_ + 4) * 0x1p-125;
}

}  // namespace cohort
