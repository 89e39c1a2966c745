#include "cluster/former.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "cluster/checked_points.hpp"
#include "cluster/fixed_sums.hpp"
#include "cluster/seeding.hpp"
#include "kernels/distances.hpp"

namespace cohort {

namespace {

// Distances as k-means gives them out.
class DistanceToCentres {
 public:
  DistanceToCentres(const PointSet& points, ConstMatrixView centres, bool spherical)
      : rows_(points.rows), centres_(centres), spherical_(spherical) {
    if (!spherical) return;
    unit_.emplace(points);
    unit_row_.assign(points.id.size(), -1);
    for (std::size_t i = 0; i < unit_->source.size(); ++i) {
      unit_row_[unit_->source[i]] = static_cast<std::int64_t>(i);
    }
  }

  /// A point without a direction is at distance 1 from all.
  double operator()(std::int64_t row, std::int32_t centre) const {
    if (!spherical_) return std::sqrt(squared_distance(rows_.row(row), centres_.row(centre), centres_.stride));
    const auto unit = unit_row_[row];
    return unit < 0 ? 1 : squared_distance(unit_->rows.row(unit), centres_.row(centre), centres_.stride) / 2;
  }

 private:
  ConstMatrixView rows_;
  ConstMatrixView centres_;
  bool spherical_;
  std::optional<UnitPoints> unit_;
  std::vector<std::int64_t> unit_row_;  // of every row; -1: it has no direction
};

}  // namespace

Matrix former_centres(const Communicator& comm, const PointSet& points, const FormerGroups& former, std::int64_t most,
                      bool spherical) {
  auto population = checked_points(comm, points);
  std::optional<UnitPoints> unit;
  std::vector<std::int32_t> group(former.of.begin(), former.of.end());
  if (spherical) {
    comm.attempt([&] {
      unit.emplace(points);
      for (std::size_t i = 0; i < unit->source.size(); ++i) group[i] = former.of[unit->source[i]];
    });
    population = {unit->set(*points.layout), population.total, 1.0};
  }
  const auto columns = population.points.rows.columns;
  const auto groups =
      grouped_rows(comm, population.points.rows, group, former.count, population.total, population.largest);
  Matrix result;
  comm.attempt([&] {
    Matrix centres(former.count, columns);
    std::vector<std::int64_t> usable;
    std::vector<double> mean(columns);
    for (std::int64_t g = 0; g < former.count; ++g) {
      if (groups.count[g] == 0) continue;
      for (std::int64_t e = 0; e < columns; ++e) mean[e] = groups.sum[g * columns + e] / groups.count[g];
      const bool zero = std::ranges::all_of(mean, [](double value) { return value == 0; });
      if (spherical && zero) continue;
      set_centre(mean, spherical, centres.view().at(g));
      usable.push_back(g);
    }
    std::ranges::stable_sort(usable, [&](std::int64_t a, std::int64_t b) { return groups.count[a] > groups.count[b]; });
    usable.resize(std::min<std::size_t>(usable.size(), most));
    result = Matrix(std::ssize(usable), columns);
    for (std::size_t i = 0; i < usable.size(); ++i) {
      std::copy_n(centres.row(usable[i]), centres.stride(), result.row(static_cast<std::int64_t>(i)));
    }
  });
  return result;
}

void keep_former(const Communicator& comm, const PointSet& points, std::span<const std::int32_t> own, bool spherical,
                 double stickiness, KmeansResult& result) {
  const auto count = result.centroid.rows();
  std::vector<std::int64_t> held;  // rows that would stay although another centre is nearer
  std::vector<double> own_distance;
  std::vector<double> nearest_distance;
  comm.attempt([&] {
    const DistanceToCentres distance(points, result.centroid.view(), spherical);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i] < 0 || own[i] == result.segment[i]) continue;
      const auto row = static_cast<std::int64_t>(i);
      const double to_own = distance(row, own[i]);
      const double to_nearest = distance(row, result.segment[i]);
      if (to_nearest < (1 - stickiness) * to_own) continue;
      held.push_back(row);
      own_distance.push_back(to_own);
      nearest_distance.push_back(to_nearest);
    }
  });
  std::vector<char> open(count, 0);  // segments that would be empty, which nobody is held back from
  std::vector<std::int64_t> size;
  for (std::int64_t empty = 1; empty > 0;) {
    comm.attempt([&] {
      size.assign(count, 0);
      for (const auto segment : result.segment) ++size[segment];
      for (const auto row : held) {
        if (open[result.segment[row]]) continue;
        --size[result.segment[row]];
        ++size[own[row]];
      }
    });
    comm.sum_in_place(std::span<std::int64_t>(size));
    empty = 0;
    for (std::size_t s = 0; s < size.size(); ++s) {
      if (size[s] > 0) continue;
      COHORT_CHECK(!open[s], "a segment that nobody is held back from has those who are nearest to it");
      open[s] = 1;
      ++empty;
    }
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto row = held[i];
    if (open[result.segment[row]]) continue;
    result.segment[row] = own[row];
    result.distance[row] = static_cast<float>(own_distance[i]);
    result.margin[row] = static_cast<float>(nearest_distance[i] - own_distance[i]);
  }
  result.size = std::move(size);
}

}  // namespace cohort
