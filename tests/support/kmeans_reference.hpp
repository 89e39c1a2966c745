// What the tests of k-means share: small populations of points, and a run of one rank alone that holds all of them.
#pragma once

#include <cmath>
#include <vector>

#include "support/cluster_points.hpp"

namespace cohort::testing_support {

inline KmeansOptions options_for(std::int64_t count, bool spherical = false) {
  KmeansOptions options;
  options.count = count;
  options.spherical = spherical;
  options.restarts = 2;
  options.max_iterations = 12;
  return options;
}

// All points on this rank alone, in the same shards; the values of rows are those of points.
inline KmeansResult alone(const SmallPoints& points, const KmeansOptions& options) {
  const auto self = Communicator::self();
  const ShardedPoints sharded(points, 0, Distribution::even(ShardedPoints::shards, 1));
  auto by_point = kmeans(self, sharded.set(), options);
  const auto segment = by_point.segment;
  const auto distance = by_point.distance;
  const auto margin = by_point.margin;
  for (std::size_t row = 0; row < sharded.index().size(); ++row) {
    const auto point = static_cast<std::size_t>(sharded.index()[row]);
    by_point.segment[point] = segment[row];
    by_point.distance[point] = distance[row];
    by_point.margin[point] = margin[row];
  }
  return by_point;
}

inline double squared(const std::vector<float>& a, const float* b) {
  double sum = 0;
  for (std::size_t e = 0; e < a.size(); ++e) sum += std::pow(static_cast<double>(a[e]) - static_cast<double>(b[e]), 2);
  return sum;
}

inline std::vector<float> unit(const std::vector<float>& row) {
  double square = 0;
  for (const float element : row) square += static_cast<double>(element) * static_cast<double>(element);
  std::vector<float> result;
  for (const float element : row)
    result.push_back(static_cast<float>(static_cast<double>(element) / std::sqrt(square)));
  return result;
}

inline std::vector<SmallPoints> all_kinds() {
  return {blobs(400, 6, 10, 0.3), blobs(300, 4, 33, 0.5), blobs(200, 5, 10, 0.01, 300), grid(9), copies(5, 20, 10)};
}

}  // namespace cohort::testing_support
