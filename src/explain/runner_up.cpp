#include "explain/runner_up.hpp"

#include <cmath>

#include "core/error.hpp"

namespace cohort {

namespace {

double square_length(std::span<const float> row) {
  double sum = 0;
  for (const auto value : row) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

double distance(std::span<const float> embedding, std::span<const float> centroid, double length, bool spherical) {
  double sum = 0;
  for (std::size_t j = 0; j < embedding.size(); ++j) {
    const auto x = static_cast<double>(embedding[j]);
    const auto y = static_cast<double>(centroid[j]);
    sum += spherical ? x * y : (x - y) * (x - y);
  }
  return spherical ? 1 - sum / length : sum;
}

}  // namespace

RunnerUpOf runner_up_of(std::span<const float> embedding, ConstMatrixView centroids, std::int32_t own, bool spherical) {
  COHORT_CHECK(centroids.rows >= 2);
  RunnerUpOf result;
  // A user without any length has no direction; its distances are all 1.
  const double length = std::sqrt(square_length(embedding));
  result.length = length > 0 ? length : 1;
  result.segment = -1;
  for (std::int32_t s = 0; s < centroids.rows; ++s) {
    const double to = distance(embedding, centroids.at(s), result.length, spherical);
    if (s == own) {
      result.own_distance = to;
    } else if (result.segment < 0 || to < result.distance) {
      result.segment = s;
      result.distance = to;
    }
  }
  return result;
}

std::vector<double> direction_between(ConstMatrixView centroids, std::int32_t own, std::int32_t other, bool spherical) {
  std::vector<double> direction;
  for (std::int64_t j = 0; j < centroids.columns; ++j) {
    const auto off = static_cast<double>(centroids.row(own)[j]) - static_cast<double>(centroids.row(other)[j]);
    direction.push_back(spherical ? off : 2 * off);
  }
  return direction;
}

double constant_between(ConstMatrixView centroids, std::int32_t own, std::int32_t other, bool spherical) {
  return spherical ? 0 : square_length(centroids.at(other)) - square_length(centroids.at(own));
}

double inner_product(std::span<const float> row, std::span<const double> direction) {
  double sum = 0;
  for (std::size_t j = 0; j < row.size(); ++j) sum += static_cast<double>(row[j]) * direction[j];
  return sum;
}

}  // namespace cohort
