// k-means||: one pass over all points a round.
#include <algorithm>
#include <array>
#include <limits>

#include "cluster/centres.hpp"
#include "cluster/seeding.hpp"
#include "comm/shard_sum.hpp"
#include "core/random.hpp"
#include "kernels/distances.hpp"

namespace cohort {

namespace {

constexpr std::uint32_t rounds = 5;
constexpr std::int64_t oversampling = 2;  // candidates a round, in k
constexpr std::int64_t chunk = 384;

// The point of least random bits: as uniform a choice as any, and no rank needs to know where the points stand.
GatheredRows first_point(const Communicator& comm, const PointSet& points, const CounterRandom& random, int threads) {
  struct Draw {
    std::uint64_t bits = std::numeric_limits<std::uint64_t>::max();
    std::int64_t row = -1;
  };
  std::vector<Draw> of_shard(points.shard_begin.size() - 1);
  for_each_shard(points, threads, [&](int, std::int64_t shard, std::int64_t begin, std::int64_t end) {
    auto& least = of_shard[shard];
    for (auto row = begin; row < end; ++row) {
      const auto bits = random.bits(static_cast<std::uint64_t>(points.id[row].value));
      if (least.row < 0 || bits < least.bits) least = {bits, row};
    }
  });
  auto least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& draw : of_shard) least = std::min(least, draw.bits);
  least = comm.min(least);
  std::vector<PickedRow> picked;
  for (const auto& draw : of_shard) {
    if (draw.row >= 0 && draw.bits == least) picked.push_back({draw.row, 0});
  }
  return gather_rows(comm, points, picked);
}

// Of every point, the squared distance to the nearest candidate so far and which one that is.
struct NearestCandidate {
  std::vector<double> distance;
  std::vector<std::int32_t> candidate;
};

// Takes the new candidates, numbered from `first` on, into account; returns a partial sum of the distances per shard.
std::vector<double> take_candidates(const PointSet& points, const Matrix& fresh, std::int32_t first, int threads,
                                    NearestCandidate& nearest) {
  std::vector<double> partial(points.shard_begin.size() - 1, 0.0);
  const ScoredCentres scored(fresh.view());
  for_each_shard(points, threads, [&](int, std::int64_t shard, std::int64_t begin, std::int64_t end) {
    std::array<std::int32_t, chunk> found;
    double sum = 0;
    for (auto at = begin; at < end; at += chunk) {
      const auto here = std::min(chunk, end - at);
      scored.nearest(points.rows.slice(at, here), std::span(found).first(here));
      for (std::int64_t i = 0; i < here; ++i) {
        const auto row = static_cast<std::size_t>(at + i);
        const auto candidate = found[i];
        const double distance = squared_distance(points.rows.row(at + i), fresh.row(candidate), points.rows.stride);
        if (distance < nearest.distance[row]) {
          nearest.distance[row] = distance;
          nearest.candidate[row] = first + candidate;
        }
        sum += nearest.distance[row];
      }
    }
    partial[shard] = sum;
  });
  return partial;
}

Matrix joined(const std::vector<Matrix>& parts, std::int64_t columns) {
  std::int64_t rows = 0;
  for (const auto& part : parts) rows += part.rows();
  Matrix result(rows, columns);
  std::int64_t at = 0;
  for (const auto& part : parts) {
    for (std::int64_t i = 0; i < part.rows(); ++i) std::copy_n(part.row(i), part.stride(), result.row(at++));
  }
  return result;
}

}  // namespace

Candidates find_candidates(const Communicator& comm, const CheckedPoints& population, std::int64_t count,
                           std::uint64_t seed) {
  const auto& points = population.points;
  Candidates result;
  if (population.total <= oversampling * rounds * count) {
    std::vector<PickedRow> all;
    comm.attempt([&] {
      for (std::int64_t row = 0; row < points.rows.rows; ++row) all.push_back({row, 0});
    });
    result.rows = gather_rows(comm, points, all).rows;
    result.weight.assign(result.rows.rows(), 1.0);
    return result;
  }
  const CounterRandom random(seed, Purpose::kmeans_seeding);
  const int threads = omp_get_max_threads();
  NearestCandidate nearest;
  std::vector<std::vector<PickedRow>> picked_of_shard;
  comm.attempt([&] {
    nearest.distance.assign(points.id.size(), std::numeric_limits<double>::infinity());
    nearest.candidate.assign(points.id.size(), 0);
    picked_of_shard.resize(points.shard_begin.size() - 1);
  });
  const ShardSum shard_sum(comm, *points.layout);
  std::vector<Matrix> parts;
  std::int64_t candidates = 0;
  auto fresh = first_point(comm, points, random, threads);
  for (std::uint32_t round = 1;; ++round) {
    std::vector<double> partial;
    comm.attempt([&] {
      partial = take_candidates(points, fresh.rows, static_cast<std::int32_t>(candidates), threads, nearest);
    });
    candidates += fresh.rows.rows();
    parts.push_back(std::move(fresh.rows));
    const double potential = shard_sum.of(partial);
    if (round > rounds || potential == 0) break;
    const double factor = static_cast<double>(oversampling * count) / potential;
    std::vector<PickedRow> picked;
    comm.attempt([&] {
      for_each_shard(points, threads, [&](int, std::int64_t shard, std::int64_t begin, std::int64_t end) {
        auto& mine = picked_of_shard[shard];
        mine.clear();
        for (auto row = begin; row < end; ++row) {
          const auto r = static_cast<std::size_t>(row);
          const auto node = static_cast<std::uint64_t>(points.id[r].value);
          if (random.uniform(node, round) < factor * nearest.distance[r]) mine.push_back({row, 0});
        }
      });
      for (const auto& mine : picked_of_shard) picked.insert(picked.end(), mine.begin(), mine.end());
    });
    fresh = gather_rows(comm, points, picked);
    if (fresh.rows.rows() == 0) break;
  }
  std::vector<std::int64_t> weight(candidates, 0);
  for (const auto candidate : nearest.candidate) ++weight[candidate];
  comm.sum_in_place(std::span<std::int64_t>(weight));
  comm.attempt([&] {
    result.rows = joined(parts, points.rows.columns);
    result.weight.assign(weight.begin(), weight.end());
  });
  return result;
}

}  // namespace cohort
