#include "cluster/kmeans.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "cluster/checked_points.hpp"
#include "cluster/lloyd.hpp"
#include "cluster/seeding.hpp"
#include "cluster/settle.hpp"
#include "core/interruption.hpp"

namespace cohort {

namespace {

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

// The margin of a user where there is one segment.
constexpr float no_second = std::numeric_limits<float>::infinity();

}  // namespace

KmeansResult kmeans(const Communicator& comm, const PointSet& points, const KmeansOptions& options) {
  COHORT_CHECK(options.count >= 1 && options.count < std::numeric_limits<std::int32_t>::max());
  COHORT_CHECK(options.start.rows <= options.count);
  COHORT_CHECK(options.restarts >= 1 && options.max_iterations >= 1 && options.tolerance >= 0);
  auto population = checked_points(comm, points);
  const auto users = population.total;
  std::optional<UnitPoints> unit;
  if (options.spherical) {
    comm.attempt([&] { unit.emplace(points); });
    population = {unit->set(*points.layout), comm.sum(unit->rows.rows()), 1.0};
  }
  if (population.total == 0) throw too_few_users(0, options);

  KmeansResult result;
  LloydRun best;
  if (options.start.rows == options.count) {
    Matrix start;
    comm.attempt([&] { start = copy_of(options.start); });
    best = run_lloyd(comm, population, options, std::move(start));
  } else {
    const auto candidates = find_candidates(comm, population, options.count, options.seed);
    std::optional<StartingCentres> starting;
    comm.attempt([&] { starting.emplace(candidates, options.count, options.spherical, options.seed); });
    const auto restarts = options.start.rows > 0 ? 1 : options.restarts;
    for (std::int64_t restart = 0; restart < restarts; ++restart) {
      Matrix start;
      comm.attempt([&] {
        end_if_interrupted();
        start = starting->choose(restart, options.start);
      });
      auto run = run_lloyd(comm, population, options, std::move(start));
      if (restart > 0 && run.inertia.back() >= best.inertia.back()) continue;
      best = std::move(run);
      result.restart = restart;
    }
  }
  auto assignment = settle(comm, population.points, options, best.centres, best.reseeded);
  comm.attempt([&] {
    const auto rows = points.id.size();
    result.segment.assign(rows, 0);
    result.distance.assign(rows, 1.0F);
    result.margin.assign(rows, 0.0F);
    if (best.centres.rows() == 1) std::ranges::fill(result.margin, no_second);
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
