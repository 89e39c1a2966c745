#include "cluster/assigned.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cluster/checked_points.hpp"
#include "cluster/fixed_sums.hpp"
#include "cluster/settle.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

double squared_distance(const float* a, const float* b, std::int64_t columns) {
  double sum = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    const double difference = static_cast<double>(a[c]) - static_cast<double>(b[c]);
    sum += difference * difference;
  }
  return sum;
}

void scale_to_length_one(Matrix& rows) {
  for (std::int64_t r = 0; r < rows.rows(); ++r) {
    const double length = std::sqrt(row_dot(rows.row(r), rows.row(r), rows.stride()));
    if (length > 0) scale_into(static_cast<float>(1 / length), rows.row(r), rows.row(r), rows.stride());
  }
}

// Means of clusters; k x d, the same on all ranks.
Matrix means_of(const Communicator& comm, const PointSet& points, std::span<const std::int32_t> cluster,
                std::span<const std::int64_t> size) {
  Matrix means(std::ssize(size), points.rows.columns);
  std::vector<double> column(cluster.size());
  for (std::int64_t c = 0; c < points.rows.columns; ++c) {
    for (std::size_t i = 0; i < column.size(); ++i) {
      column[i] = static_cast<double>(points.rows.row(static_cast<std::int64_t>(i))[c]);
    }
    const auto sums = grouped_sums(comm, column, cluster, std::ssize(size));
    for (std::size_t j = 0; j < size.size(); ++j) {
      if (size[j] > 0)
        means.row(static_cast<std::int64_t>(j))[c] = static_cast<float>(sums[j] / static_cast<double>(size[j]));
    }
  }
  return means;
}

}  // namespace

KmeansResult assigned_to_centres(const Communicator& comm, const PointSet& points, Matrix centres, bool spherical) {
  KmeansOptions options;
  options.count = centres.rows();
  options.spherical = spherical;
  auto population = checked_points(comm, points);
  const auto users = population.total;
  std::optional<UnitPoints> unit;
  if (spherical) {
    scale_to_length_one(centres);
    comm.attempt([&] { unit.emplace(points); });
    population = {unit->set(*points.layout), comm.sum(unit->rows.rows()), 1.0};
  }
  if (population.total == 0) throw too_few_users(0, options);
  KmeansResult result;
  const auto found = settle(comm, population.points, options, centres, result.reseeded);
  comm.attempt([&] {
    const auto rows = points.id.size();
    result.segment.assign(rows, 0);
    result.distance.assign(rows, 1.0F);
    result.margin.assign(rows, 0.0F);
    if (options.count == 1) std::ranges::fill(result.margin, std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < found.nearest.size(); ++i) {
      const auto row = unit ? static_cast<std::size_t>(unit->source[i]) : i;
      const double nearest = spherical ? found.distance[i] / 2 : std::sqrt(found.distance[i]);
      const double second = spherical ? found.second[i] / 2 : std::sqrt(found.second[i]);
      result.segment[row] = found.nearest[i];
      result.distance[row] = static_cast<float>(nearest);
      result.margin[row] = static_cast<float>(second - nearest);
    }
  });
  result.size = found.size;
  result.size.front() += users - population.total;
  result.inertia = {found.inertia};
  result.centroid = std::move(centres);
  return result;
}

KmeansResult given_clusters(const Communicator& comm, const PointSet& points, std::span<const std::int32_t> cluster,
                            std::int64_t count) {
  COHORT_CHECK(cluster.size() == points.id.size());
  checked_points(comm, points);
  std::vector<std::int64_t> size(count, 0);
  std::vector<std::int64_t> first_id(count, std::numeric_limits<std::int64_t>::max());
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    ++size[cluster[i]];
    first_id[cluster[i]] = std::min(first_id[cluster[i]], points.id[i].value);
  }
  comm.sum_in_place(std::span(size));
  comm.min_in_place(std::span(first_id));
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](std::int32_t j) { return size[j] == 0; });
  std::ranges::sort(order, [&](std::int32_t a, std::int32_t b) {
    return size[a] != size[b] ? size[a] > size[b] : first_id[a] < first_id[b];
  });
  std::vector<std::int32_t> number(count, 0);
  KmeansResult result;
  for (std::size_t j = 0; j < order.size(); ++j) {
    number[order[j]] = static_cast<std::int32_t>(j);
    result.size.push_back(size[order[j]]);
  }
  for (const auto j : cluster) result.segment.push_back(number[j]);
  result.centroid = means_of(comm, points, result.segment, result.size);
  const auto nearest = assign_exactly(comm, points, result.centroid.view());
  std::vector<double> squared;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const bool own = nearest.nearest[i] == result.segment[i];
    const double distance = own ? nearest.distance[i]
                                : squared_distance(points.rows.row(static_cast<std::int64_t>(i)),
                                                   result.centroid.row(result.segment[i]), points.rows.columns);
    squared.push_back(distance);
    const double other = own ? nearest.second[i] : nearest.distance[i];
    result.distance.push_back(static_cast<float>(std::sqrt(distance)));
    result.margin.push_back(static_cast<float>(std::sqrt(other) - std::sqrt(distance)));
  }
  const std::vector<std::int32_t> one(squared.size(), 0);
  result.inertia = grouped_sums(comm, squared, one, 1);
  return result;
}

}  // namespace cohort
