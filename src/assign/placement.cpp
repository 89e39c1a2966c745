#include "assign/placement.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "cluster/levels.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

Placement place(const float* row, ConstMatrixView centroid, bool spherical) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  std::vector<float> unit;
  if (spherical) {
    const double length = std::sqrt(row_dot(row, row, centroid.stride));
    if (length == 0) return {0, 1.0F, centroid.rows == 1 ? std::numeric_limits<float>::infinity() : 0.0F};
    unit.resize(centroid.stride);
    for (std::size_t j = 0; j < unit.size(); ++j) {
      unit[j] = static_cast<float>(static_cast<double>(row[j]) / length);
    }
    row = unit.data();
  }
  Placement result;
  double nearest = infinity;
  double second = infinity;
  for (std::int64_t s = 0; s < centroid.rows; ++s) {
    const double distance = squared_distance(row, centroid.row(s), centroid.stride);
    if (distance < nearest) {
      second = nearest;
      nearest = distance;
      result.segment = static_cast<std::int32_t>(s);
    } else if (distance < second) {
      second = distance;
    }
  }
  nearest = spherical ? nearest / 2 : std::sqrt(nearest);
  second = spherical ? second / 2 : std::sqrt(second);
  result.distance = static_cast<float>(nearest);
  result.margin = static_cast<float>(second - nearest);
  return result;
}

Placement place_at(const float* row, const Segments& segments, std::int64_t level, bool spherical) {
  auto result = place(row, segments.centroid.view(), spherical);
  if (result.segment < 0 || level == 0 || level > std::ssize(segments.levels)) return result;
  const auto& at = segments.levels[level - 1];
  const auto there = place_in_level(row, segments.centroid.view(), at.of_finest, at.centroid.view(), spherical);
  return {at.of_finest[result.segment], there.distance, there.margin};
}

}  // namespace cohort
