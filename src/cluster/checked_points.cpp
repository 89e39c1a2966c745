#include "cluster/checked_points.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/ragged.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

constexpr float most = 0x1p50F;

// The bits of a magnitude are ordered as the magnitude, with infinities and what is no number above all others.
std::uint32_t largest_bits(const float* row, std::int64_t stride) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < stride; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(row[i]) & 0x7fffffffU);
  }
  return largest;
}

bool equal_rows(const float* a, const float* b, std::int64_t columns) {
  return std::equal(a, a + columns, b);
}

}  // namespace

CheckedPoints checked_points(const Communicator& comm, const PointSet& points) {
  COHORT_CHECK(points.rows.rows == std::ssize(points.id) && points.shard_begin.back() == points.rows.rows);
  COHORT_CHECK(points.layout->shards_of_rank.count(comm.rank()) + 1 == std::ssize(points.shard_begin));
  constexpr auto none = std::numeric_limits<std::int64_t>::max();
  const auto bound = std::bit_cast<std::uint32_t>(most);
  std::uint32_t largest = 0;
  std::int64_t bad = none;
#pragma omp parallel for schedule(static) reduction(max : largest) reduction(min : bad)
  for (std::int64_t row = 0; row < points.rows.rows; ++row) {
    const auto bits = largest_bits(points.rows.row(row), points.rows.stride);
    if (bits > bound) bad = std::min(bad, points.id[row].value);
    largest = std::max(largest, bits);
  }
  bad = comm.min(bad);
  if (bad != none) {
    throw RunError("the embedding of user number " + std::to_string(bad) +
                   " has a coordinate that is no finite number or beyond 2^50: training has diverged; lower "
                   "train.learning_rate and train again");
  }
  return {points, comm.sum(points.rows.rows), static_cast<double>(std::bit_cast<float>(comm.max(largest)))};
}

UnitPoints::UnitPoints(const PointSet& points) {
  const auto shards = static_cast<std::int64_t>(points.shard_begin.size()) - 1;
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    shard_begin.push_back(std::ssize(source));
    const auto s = static_cast<std::size_t>(shard);
    for (const auto row : places_of(points.shard_begin, s)) {
      if (largest_bits(points.rows.row(row), points.rows.stride) == 0) continue;
      source.push_back(row);
      id.push_back(points.id[row]);
    }
  }
  shard_begin.push_back(std::ssize(source));
  rows = Matrix(std::ssize(source), points.rows.columns);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const float* const from = points.rows.row(source[i]);
    const double length = std::sqrt(row_dot(from, from, rows.stride()));
    for (std::int64_t j = 0; j < rows.columns(); ++j) {
      rows.row(i)[j] = static_cast<float>(static_cast<double>(from[j]) / length);
    }
  }
}

GatheredRows gather_rows(const Communicator& comm, const PointSet& points, std::span<const PickedRow> picked) {
  const auto width = static_cast<std::size_t>(points.rows.stride);
  std::vector<float> rows;
  std::vector<NodeId> id;
  std::vector<double> distance;
  comm.attempt([&] {
    for (const auto& pick : picked) {
      const float* const row = points.rows.row(pick.row);
      rows.insert(rows.end(), row, row + width);
      id.push_back(points.id[pick.row]);
      distance.push_back(pick.distance);
    }
  });
  const auto all_rows = comm.all_gather(std::span<const float>(rows));
  const auto all_id = comm.all_gather(std::span<const NodeId>(id));
  const auto all_distance = comm.all_gather(std::span<const double>(distance));
  GatheredRows result;
  comm.attempt([&] {
    std::vector<std::size_t> order(all_id.data.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](auto a, auto b) {
      if (all_distance.data[a] != all_distance.data[b]) return all_distance.data[a] > all_distance.data[b];
      return all_id.data[a] < all_id.data[b];
    });
    result.rows = Matrix(std::ssize(order), points.rows.columns);
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::memcpy(result.rows.row(static_cast<std::int64_t>(i)), all_rows.data.data() + order[i] * width,
                  width * sizeof(float));
      result.id.push_back(all_id.data[order[i]]);
      result.distance.push_back(all_distance.data[order[i]]);
    }
  });
  return result;
}

Matrix farthest_rows(const Communicator& comm, const PointSet& points, ConstMatrixView centres,
                     std::span<const std::int32_t> nearest, std::int64_t count) {
  const auto columns = points.rows.columns;
  // The first `count` that differ, of rows in order. Equal rows have one centre and so one distance.
  const auto distinct = [&](std::int64_t rows, const auto& row, const auto& distance) {
    std::vector<std::int64_t> kept;
    for (std::int64_t i = 0; i < rows && std::ssize(kept) < count; ++i) {
      const bool seen = std::any_of(kept.rbegin(), kept.rend(), [&](std::int64_t other) {
        return distance(other) == distance(i) && equal_rows(row(other), row(i), columns);
      });
      if (!seen) kept.push_back(i);
    }
    return kept;
  };
  std::vector<PickedRow> mine;
  comm.attempt([&] {
    std::vector<PickedRow> away;
    for (std::int64_t row = 0; row < points.rows.rows; ++row) {
      const auto* const centre = centres.row(nearest[row]);
      const double distance = squared_distance(points.rows.row(row), centre, points.rows.stride);
      if (distance > 0) away.push_back({row, distance});
    }
    std::ranges::sort(away, [&](const PickedRow& a, const PickedRow& b) {
      if (a.distance != b.distance) return a.distance > b.distance;
      return points.id[a.row] < points.id[b.row];
    });
    const auto at = [&](std::int64_t i) -> const PickedRow& { return away[i]; };
    for (const auto i : distinct(
             std::ssize(away), [&](auto k) { return points.rows.row(at(k).row); },
             [&](auto k) { return at(k).distance; })) {
      mine.push_back(at(i));
    }
  });
  const auto all = gather_rows(comm, points, mine);
  Matrix result;
  comm.attempt([&] {
    const auto kept = distinct(
        all.rows.rows(), [&](auto k) { return all.rows.row(k); }, [&](auto k) { return all.distance[k]; });
    result = Matrix(std::ssize(kept), columns);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      std::copy_n(all.rows.row(kept[i]), columns, result.row(static_cast<std::int64_t>(i)));
    }
  });
  return result;
}

}  // namespace cohort
