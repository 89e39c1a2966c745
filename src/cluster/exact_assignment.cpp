// The float32 scores are a sieve: only centres whose score is within the proven error of the second best are looked at
// in float64, about two of k.
#include "cluster/exact_assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/centres.hpp"
#include "comm/shard_sum.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct TwoNearest {
  std::int32_t nearest = 0;
  double distance = infinity;
  double second = infinity;
};

// products: the inner products of the point with the packed centres; becomes their scores.
TwoNearest two_nearest(const float* point, ConstMatrixView centres, const ScoredCentres& scored, float* products) {
  const auto offset = scored.offset();
  float best = std::numeric_limits<float>::infinity();
  float next = best;
  for (std::size_t j = 0; j < offset.size(); ++j) {
    const float score = offset[j] - 2 * products[j];
    products[j] = score;
    if (score < next) {
      next = std::max(best, score);
      best = std::min(best, score);
    }
  }
  const double length = std::sqrt(row_dot(point, point, centres.stride));
  // Whichever two centres are nearest, their true scores are at most `next` plus the error, so theirs in float32 are
  // at most that plus the error.
  const double bound = static_cast<double>(next) + 2 * scored.error(length);
  TwoNearest found;
  for (std::size_t j = 0; j < offset.size(); ++j) {
    if (static_cast<double>(products[j]) > bound) continue;
    const double distance = squared_distance(point, centres.row(static_cast<std::int64_t>(j)), centres.stride);
    if (distance < found.distance) {
      found.second = found.distance;
      found.distance = distance;
      found.nearest = static_cast<std::int32_t>(j);
    } else if (distance < found.second) {
      found.second = distance;
    }
  }
  return found;
}

}  // namespace

ExactAssignment assign_exactly(const Communicator& comm, const PointSet& points, ConstMatrixView centres) {
  const int threads = omp_get_max_threads();
  const auto chunk = std::clamp<std::int64_t>((std::int64_t{1} << 17) / centres.rows, 8, 48);
  ExactAssignment result;
  std::vector<double> partial;
  comm.attempt([&] {
    result.nearest.resize(points.id.size());
    result.distance.resize(points.id.size());
    result.second.resize(points.id.size());
    partial.resize(points.shard_begin.size() - 1);
    const ScoredCentres scored(centres);
    std::vector<Matrix> products;
    for (int thread = 0; thread < threads; ++thread) products.emplace_back(chunk, centres.rows);
    for_each_shard(points, threads, [&](int thread, std::int64_t shard, std::int64_t begin, std::int64_t end) {
      const auto room = products[thread].view();
      double inertia = 0;
      for (auto at = begin; at < end; at += chunk) {
        const auto here = std::min(chunk, end - at);
        inner_products(points.rows.slice(at, here), scored.packed(), room);
        for (std::int64_t i = 0; i < here; ++i) {
          const auto found = two_nearest(points.rows.row(at + i), centres, scored, room.row(i));
          const auto row = static_cast<std::size_t>(at + i);
          result.nearest[row] = found.nearest;
          result.distance[row] = found.distance;
          result.second[row] = found.second;
          inertia += found.distance;
        }
      }
      partial[shard] = inertia;
    });
    result.size.assign(centres.rows, 0);
    result.first_id.assign(centres.rows, std::numeric_limits<std::int64_t>::max());
    for (std::size_t row = 0; row < result.nearest.size(); ++row) {
      const auto centre = static_cast<std::size_t>(result.nearest[row]);
      ++result.size[centre];
      result.first_id[centre] = std::min(result.first_id[centre], points.id[row].value);
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(result.size));
  comm.min_in_place(std::span<std::int64_t>(result.first_id));
  result.inertia = shard_sum(comm, *points.layout, partial);
  return result;
}

}  // namespace cohort
