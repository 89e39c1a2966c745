#include "cluster/kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cluster/exact_assignment.hpp"
#include "cluster/lloyd.hpp"
#include "cluster/points.hpp"
#include "cluster/seeding.hpp"

namespace cohort {

namespace {

InputError too_few(std::int64_t distinct, const KmeansOptions& options) {
  const std::string what =
      options.spherical ? "users whose embeddings point in different directions" : "users with different embeddings";
  return InputError("segment.count is " + std::to_string(options.count) + ", but there are only " +
                    std::to_string(distinct) + ' ' + what + "; set segment.count to at most " +
                    std::to_string(std::max<std::int64_t>(distinct, 1)));
}

// Centres by the size of their segments, largest first, ties by the least id.
std::vector<std::int64_t> by_size(const ExactAssignment& assignment) {
  std::vector<std::int64_t> order(assignment.size.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    const auto i = static_cast<std::size_t>(a);
    const auto j = static_cast<std::size_t>(b);
    if (assignment.size[i] != assignment.size[j]) return assignment.size[i] > assignment.size[j];
    return assignment.first_id[i] < assignment.first_id[j];
  });
  return order;
}

Matrix rows_in_order(const Matrix& rows, std::span<const std::int64_t> order) {
  Matrix result(rows.rows(), rows.columns());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(rows.row(order[i]), rows.stride(), result.row(static_cast<std::int64_t>(i)));
  }
  return result;
}

// Assigns to `centres` until every centre has a point and their numbers go by size. Numbers decide where a point that
// is equally far from two centres goes, so each new numbering is assigned again. That ends: points that move go to
// smaller numbers and sorting brings larger sizes to smaller numbers, so the sizes' running sums only grow. Reseeding
// ends too: each time a point comes to lie on a centre, and none leaves one. Points all lie on centres only where there
// are fewer of them that differ than centres.
ExactAssignment settle(const Communicator& comm, const Population& population, const KmeansOptions& options,
                       Matrix& centres, std::int64_t& reseeded) {
  while (true) {
    auto assignment = assign_exactly(comm, population.points, centres.view());
    const auto empty = std::ranges::count(assignment.size, 0);
    if (empty > 0) {
      const auto farthest = farthest_rows(comm, population.points, centres.view(), assignment.nearest, empty);
      if (farthest.rows() == 0) throw too_few(options.count - empty, options);
      for (std::int64_t j = 0, taken = 0; taken < farthest.rows(); ++j) {
        if (assignment.size[static_cast<std::size_t>(j)] > 0) continue;
        std::copy_n(farthest.row(taken++), centres.stride(), centres.row(j));
      }
      reseeded += farthest.rows();
      continue;
    }
    const auto order = by_size(assignment);
    if (std::ranges::is_sorted(order)) return assignment;
    comm.attempt([&] { centres = rows_in_order(centres, order); });
  }
}

// What the caller's rows get. Rows that the population left out, since they have no direction, are at distance 1 from
// all.
void hand_out(const ExactAssignment& assignment, bool spherical, std::span<const std::int64_t> source,
              KmeansResult& result) {
  for (std::size_t i = 0; i < assignment.nearest.size(); ++i) {
    const auto row = spherical ? static_cast<std::size_t>(source[i]) : i;
    const double nearest = spherical ? assignment.distance[i] / 2 : std::sqrt(assignment.distance[i]);
    const double second = spherical ? assignment.second[i] / 2 : std::sqrt(assignment.second[i]);
    result.segment[row] = assignment.nearest[i];
    result.distance[row] = static_cast<float>(nearest);
    result.margin[row] = static_cast<float>(second - nearest);
  }
}

}  // namespace

KmeansResult kmeans(const Communicator& comm, const PointSet& points, const KmeansOptions& options) {
  COHORT_CHECK(options.count >= 1 && options.count < std::numeric_limits<std::int32_t>::max());
  COHORT_CHECK(options.restarts >= 1 && options.max_iterations >= 1 && options.tolerance >= 0);
  auto population = checked_population(comm, points);
  const auto users = population.total;
  std::optional<UnitPoints> unit;
  if (options.spherical) {
    comm.attempt([&] { unit.emplace(points); });
    population = {unit->set(*points.layout), comm.sum(unit->rows.rows()), 1.0};
  }
  if (population.total == 0) throw too_few(0, options);

  KmeansResult result;
  LloydRun best;
  {
    const auto candidates = find_candidates(comm, population, options.count, options.seed);
    std::optional<StartingCentres> starting;
    comm.attempt([&] { starting.emplace(candidates, options.count, options.spherical, options.seed); });
    for (std::int64_t restart = 0; restart < options.restarts; ++restart) {
      Matrix start;
      comm.attempt([&] { start = starting->choose(restart); });
      auto run = run_lloyd(comm, population, options, std::move(start));
      if (restart > 0 && run.inertia.back() >= best.inertia.back()) continue;
      best = std::move(run);
      result.restart = restart;
    }
  }
  auto assignment = settle(comm, population, options, best.centres, best.reseeded);
  comm.attempt([&] {
    const auto rows = points.id.size();
    result.segment.assign(rows, 0);
    result.distance.assign(rows, 1.0F);
    result.margin.assign(rows, options.count == 1 ? std::numeric_limits<float>::infinity() : 0.0F);
    hand_out(assignment, options.spherical,
             unit ? std::span<const std::int64_t>(unit->source) : std::span<const std::int64_t>(), result);
  });
  result.size = std::move(assignment.size);
  result.size.front() += users - population.total;
  result.inertia = std::move(best.inertia);
  result.inertia.back() = assignment.inertia;
  result.centroid = std::move(best.centres);
  result.reseeded = best.reseeded;
  return result;
}

}  // namespace cohort
