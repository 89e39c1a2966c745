#include "cluster/assigned.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cluster/checked_points.hpp"
#include "cluster/fixed_sums.hpp"
#include "cluster/seeding.hpp"
#include "cluster/settle.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

void scale_to_length_one(Matrix& rows) {
  for (std::int64_t r = 0; r < rows.rows(); ++r) {
    const double length = std::sqrt(row_dot(rows.row(r), rows.row(r), rows.stride()));
    if (length > 0) scale_into(static_cast<float>(1 / length), rows.row(r), rows.row(r), rows.stride());
  }
}

}  // namespace

KmeansResult assigned_to_centres(const Communicator& comm, const PointSet& points, Matrix centres, bool spherical,
                                 bool or_fewer) {
  KmeansOptions options;
  options.count = centres.rows();
  options.spherical = spherical;
  options.or_fewer = or_fewer;
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
    if (centres.rows() == 1) std::ranges::fill(result.margin, std::numeric_limits<float>::infinity());
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
  const auto population = checked_points(comm, points);
  std::vector<std::int64_t> size;
  std::vector<std::int64_t> first_id;
  comm.attempt([&] {
    size.assign(count, 0);
    first_id.assign(count, std::numeric_limits<std::int64_t>::max());
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      ++size[cluster[i]];
      first_id[cluster[i]] = std::min(first_id[cluster[i]], points.id[i].value);
    }
  });
  comm.sum_in_place(std::span(size));
  comm.min_in_place(std::span(first_id));
  KmeansResult result;
  comm.attempt([&] {
    std::vector<std::int32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::erase_if(order, [&](std::int32_t j) { return size[j] == 0; });
    std::ranges::sort(order, [&](std::int32_t a, std::int32_t b) {
      return size[a] != size[b] ? size[a] > size[b] : first_id[a] < first_id[b];
    });
    std::vector<std::int32_t> number(count, 0);
    for (std::size_t j = 0; j < order.size(); ++j) {
      number[order[j]] = static_cast<std::int32_t>(j);
      result.size.push_back(size[order[j]]);
    }
    for (const auto j : cluster) result.segment.push_back(number[j]);
  });
  const auto clusters = std::ssize(result.size);
  const auto sums = grouped_rows(comm, points.rows, result.segment, clusters, population.total, population.largest);
  comm.attempt([&] {
    result.centroid = Matrix(clusters, sums.columns);
    std::vector<double> mean(sums.columns);
    for (std::int64_t j = 0; j < clusters; ++j) {
      for (std::int64_t e = 0; e < sums.columns; ++e) mean[e] = sums.sum[j * sums.columns + e] / sums.count[j];
      set_centre(mean, false, result.centroid.view().at(j));
    }
  });
  const auto nearest = assign_exactly(comm, points, result.centroid.view());
  std::vector<double> squared;
  std::vector<std::int32_t> one;
  comm.attempt([&] {
    one.assign(cluster.size(), 0);
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      const bool own = nearest.nearest[i] == result.segment[i];
      const double distance = own ? nearest.distance[i]
                                  : squared_distance(points.rows.row(static_cast<std::int64_t>(i)),
                                                     result.centroid.row(result.segment[i]), result.centroid.stride());
      squared.push_back(distance);
      const double other = own ? nearest.second[i] : nearest.distance[i];
      result.distance.push_back(static_cast<float>(std::sqrt(distance)));
      result.margin.push_back(static_cast<float>(std::sqrt(other) - std::sqrt(distance)));
    }
  });
  result.inertia = grouped_sums(comm, squared, one, 1);
  return result;
}

}  // namespace cohort
