#include "cluster/levels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "cluster/checked_points.hpp"
#include "cluster/seeding.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The groups of parts as parts themselves.
GroupedSums grouped(const GroupedSums& parts, std::span<const std::int32_t> group, std::int64_t count) {
  GroupedSums result;
  result.columns = parts.columns;
  result.sum.assign(count * parts.columns, 0.0);
  result.count.assign(count, 0.0);
  for (std::size_t part = 0; part < group.size(); ++part) {
    const auto to = static_cast<std::size_t>(group[part] * parts.columns);
    const auto from = part * static_cast<std::size_t>(parts.columns);
    for (std::size_t e = 0; e < static_cast<std::size_t>(parts.columns); ++e) {
      result.sum[to + e] += parts.sum[from + e];
    }
    result.count[group[part]] += parts.count[part];
  }
  return result;
}

// What parts that are groups of the finest segments (part: of each) start from: where most of their users were.
FormerGrouping of_parts(const FormerGrouping& former, std::span<const std::int32_t> part, const GroupedSums& finest) {
  FormerGrouping result{{}, former.stickiness};
  std::vector<std::map<std::int32_t, double>> users(1 + *std::ranges::max_element(part));
  for (std::size_t s = 0; s < part.size(); ++s) {
    if (former.of[s] >= 0) users[part[s]][former.of[s]] += finest.count[s];
  }
  for (const auto& of_part : users) {
    const auto most = std::ranges::max_element(of_part, {}, [](const auto& group) { return group.second; });
    result.of.push_back(most == of_part.end() ? -1 : most->first);
  }
  return result;
}

// Of each segment the smallest NodeId of its users, over all ranks. Collective.
std::vector<std::int64_t> first_ids(const Communicator& comm, const PointSet& points, const KmeansResult& found) {
  std::vector<std::int64_t> first(found.size.size(), std::numeric_limits<std::int64_t>::max());
  for (std::size_t row = 0; row < points.id.size(); ++row) {
    auto& least = first[found.segment[row]];
    least = std::min(least, points.id[row].value);
  }
  comm.min_in_place(std::span<std::int64_t>(first));
  return first;
}

struct Sized {
  std::int64_t users = 0;
  std::int64_t first_id = std::numeric_limits<std::int64_t>::max();
  std::int32_t group = 0;
};

// Renumbers groups by their users, largest first, ties by the least id. group: of each of the finest segments.
std::vector<std::int64_t> number_by_size(std::span<std::int32_t> group, std::int64_t count,
                                         std::span<const std::int64_t> size, std::span<const std::int64_t> first_id) {
  std::vector<Sized> groups(count);
  for (std::size_t s = 0; s < group.size(); ++s) {
    auto& one = groups[group[s]];
    one.users += size[s];
    one.first_id = std::min(one.first_id, first_id[s]);
    one.group = group[s];
  }
  std::ranges::sort(groups, [](const Sized& a, const Sized& b) {
    return a.users != b.users ? a.users > b.users : a.first_id < b.first_id;
  });
  std::vector<std::int32_t> number(groups.size());
  std::vector<std::int64_t> sizes;
  for (const auto& one : groups) {
    number[one.group] = static_cast<std::int32_t>(sizes.size());
    sizes.push_back(one.users);
  }
  for (auto& one : group) one = number[one];
  return sizes;
}

Matrix centroids_of(const GroupedSums& groups, const NestedLevel& level, const Matrix& finest, bool spherical) {
  Matrix centroid(std::ssize(level.size), groups.columns);
  // A direction that is none, of users who cancel out, is that of a segment inside.
  for (auto s = std::ssize(level.of_finest) - 1; s >= 0; --s) {
    std::copy_n(finest.row(s), finest.stride(), centroid.row(level.of_finest[s]));
  }
  std::vector<double> mean(groups.columns);
  for (std::int64_t s = 0; s < centroid.rows(); ++s) {
    for (std::int64_t e = 0; e < groups.columns; ++e) mean[e] = groups.sum[s * groups.columns + e] / groups.count[s];
    set_centre(mean, spherical, centroid.view().at(s));
  }
  return centroid;
}

}  // namespace

std::vector<NestedLevel> nest_segments(const Communicator& comm, const PointSet& points, bool spherical,
                                       const KmeansResult& found, std::span<const std::int64_t> counts,
                                       std::span<const FormerGrouping> former) {
  COHORT_CHECK(former.empty() || former.size() == counts.size());
  auto population = checked_points(comm, points);
  std::optional<UnitPoints> unit;
  std::vector<std::int32_t> segment = found.segment;
  if (spherical) {
    comm.attempt([&] {
      unit.emplace(points);
      segment.clear();
      for (const auto row : unit->source) segment.push_back(found.segment[row]);
    });
    population = {unit->set(*points.layout), comm.sum(unit->rows.rows()), 1.0};
  }
  auto finest =
      grouped_rows(comm, population.points.rows, segment, std::ssize(found.size), population.total, population.largest);
  // Users without a direction are users too.
  comm.attempt([&] { finest.count.assign(found.size.begin(), found.size.end()); });
  const auto first_id = first_ids(comm, points, found);
  std::vector<NestedLevel> levels;
  comm.attempt([&] {
    auto parts = finest;
    std::vector<std::int32_t> below(found.size.size());
    std::iota(below.begin(), below.end(), 0);
    for (auto count = counts.rbegin(); count != counts.rend(); ++count) {
      NestedLevel level;
      FormerGrouping start;
      if (!former.empty()) start = of_parts(former[counts.rend() - count - 1], below, finest);
      const auto group = group_parts(parts, *count, spherical, start);
      for (const auto s : below) level.of_finest.push_back(group[s]);
      level.size = number_by_size(level.of_finest, *count, found.size, first_id);
      // From the finest again, so that a level's sums do not depend on how it came about.
      parts = grouped(finest, level.of_finest, *count);
      level.centroid = centroids_of(parts, level, found.centroid, spherical);
      below = level.of_finest;
      levels.push_back(std::move(level));
    }
    std::ranges::reverse(levels);
  });
  return levels;
}

PlaceInLevel place_in_level(const float* row, ConstMatrixView finest, std::span<const std::int32_t> of_finest,
                            ConstMatrixView centroid, bool spherical) {
  constexpr float none = std::numeric_limits<float>::infinity();
  std::vector<float> unit;
  if (spherical) {
    const double length = std::sqrt(row_dot(row, row, finest.stride));
    if (length == 0) return {1.0F, centroid.rows == 1 ? none : 0.0F};
    unit.resize(finest.stride);
    for (std::size_t e = 0; e < unit.size(); ++e) unit[e] = static_cast<float>(static_cast<double>(row[e]) / length);
    row = unit.data();
  }
  const auto distance_of = [&](double square) { return spherical ? square / 2 : std::sqrt(square); };
  std::vector<double> nearest(centroid.rows, infinity);  // of the finest centroids in each segment of the level
  double least = infinity;
  std::int32_t own = 0;
  for (std::int64_t s = 0; s < finest.rows; ++s) {
    const double square = squared_distance(row, finest.row(s), finest.stride);
    auto& of_segment = nearest[of_finest[s]];
    of_segment = std::min(of_segment, square);
    if (square >= least) continue;
    least = square;
    own = of_finest[s];
  }
  double second = infinity;
  for (std::int64_t s = 0; s < centroid.rows; ++s) {
    if (s != own) second = std::min(second, nearest[s]);
  }
  return {static_cast<float>(distance_of(squared_distance(row, centroid.row(own), centroid.stride))),
          static_cast<float>(distance_of(second) - distance_of(least))};
}

}  // namespace cohort
