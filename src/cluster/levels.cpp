#include "cluster/levels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cluster/checked_points.hpp"
#include "cluster/seeding.hpp"
#include "core/interruption.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int most_rounds = 100;     // of moving segments between groups
constexpr double least_gain = 1e-9;  // of a move, as a share of all

// Groups under way. What a group is worth is how much less inertia it has than its points have around 0: |sum|^2 /
// count, or if spherical 2 |sum|, of which half is looked at. Inertia is least where the worth of all is most.
class Groups {
 public:
  Groups(const GroupedSums& parts, bool spherical) : parts_(parts), spherical_(spherical), sum_(parts.sum) {
    count_ = parts.count;
    for (std::int64_t part = 0; part < size(); ++part) square_.push_back(dot(row(sum_, part), row(sum_, part)));
    part_square_ = square_;
  }

  std::int64_t size() const { return std::ssize(count_); }
  double worth(std::int64_t group) const { return worth_of(square_[group], count_[group]); }
  /// What is lost when two groups become one; at least 0 but for rounding.
  double loss(std::int64_t a, std::int64_t b) const {
    const double square = square_[a] + square_[b] + 2 * dot(row(sum_, a), row(sum_, b));
    return worth(a) + worth(b) - worth_of(square, count_[a] + count_[b]);
  }
  void merge(std::int64_t into, std::int64_t from) {
    const auto a = row(sum_, into);
    const auto b = row(sum_, from);
    for (std::size_t e = 0; e < a.size(); ++e) a[e] += b[e];
    count_[into] += count_[from];
    square_[into] = dot(a, a);
  }

  /// What a group is worth with a part more (sign 1) or less (-1), beyond what it is worth now.
  double gain(std::int64_t group, std::int64_t part, double sign) const {
    const double square = square_[group] + part_square_[part] + 2 * sign * dot(row(sum_, group), row(parts_.sum, part));
    return worth_of(square, count_[group] + sign * parts_.count[part]) - worth(group);
  }
  void move(std::int64_t part, std::int64_t from, std::int64_t into) {
    for (const auto& [group, sign] : {std::pair{from, -1.0}, {into, 1.0}}) {
      const auto sum = row(sum_, group);
      const auto added = row(parts_.sum, part);
      for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += sign * added[e];
      count_[group] += sign * parts_.count[part];
      square_[group] = dot(sum, sum);
    }
  }

 private:
  std::span<const double> row(const std::vector<double>& sums, std::int64_t group) const {
    return std::span(sums).subspan(group * parts_.columns, parts_.columns);
  }
  std::span<double> row(std::vector<double>& sums, std::int64_t group) const {
    return std::span(sums).subspan(group * parts_.columns, parts_.columns);
  }
  static double dot(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t e = 0; e < a.size(); ++e) sum += a[e] * b[e];
    return sum;
  }
  double worth_of(double square, double count) const {
    return spherical_ ? std::sqrt(std::max(square, 0.0)) : square / count;
  }

  const GroupedSums& parts_;
  bool spherical_;
  std::vector<double> sum_;  // as GroupedSums::sum
  std::vector<double> count_;
  std::vector<double> square_;       // |sum|^2 of each group
  std::vector<double> part_square_;  // and of each part
};

// The pair of groups whose merging loses least, kept up to date: of every group the best partner behind it.
class NearestGroups {
 public:
  NearestGroups(const Groups& groups, std::vector<std::int64_t> alive)
      : groups_(groups), alive_(std::move(alive)), partner_(groups.size()), loss_(groups.size(), infinity) {
    for (std::size_t place = 0; place < alive_.size(); ++place) look(place);
  }

  struct Pair {
    std::int64_t into, from;
  };
  /// Of equal ones the first.
  Pair best() const {
    const auto least = *std::ranges::min_element(alive_, {}, [&](std::int64_t group) { return loss_[group]; });
    return {least, partner_[least]};
  }
  /// After `pair` was merged.
  void merged(const Pair& pair) {
    std::erase(alive_, pair.from);
    for (std::size_t place = 0; place < alive_.size(); ++place) {
      const auto group = alive_[place];
      if (group == pair.into || partner_[group] == pair.into || partner_[group] == pair.from) {
        look(place);
      } else if (group < pair.into) {
        const double loss = groups_.loss(group, pair.into);
        if (loss < loss_[group]) {
          loss_[group] = loss;
          partner_[group] = pair.into;
        }
      }
    }
  }
  const std::vector<std::int64_t>& alive() const { return alive_; }

 private:
  void look(std::size_t place) {
    const auto group = alive_[place];
    loss_[group] = infinity;
    partner_[group] = -1;
    for (auto next = place + 1; next < alive_.size(); ++next) {
      const double loss = groups_.loss(group, alive_[next]);
      if (loss >= loss_[group]) continue;
      loss_[group] = loss;
      partner_[group] = alive_[next];
    }
  }

  const Groups& groups_;
  std::vector<std::int64_t> alive_;    // ascending
  std::vector<std::int64_t> partner_;  // by group
  std::vector<double> loss_;
};

// Moves parts to the group where they are worth most, until none gains. group: names of groups, some of 0..parts-1.
void exchange(Groups& groups, const std::vector<std::int64_t>& alive, std::vector<std::int64_t>& group) {
  std::vector<std::int64_t> members(group.size(), 0);
  for (const auto of_part : group) ++members[of_part];
  double total = 0;
  for (const auto one : alive) total += groups.worth(one);
  bool moved = true;
  for (int round = 0; moved && round < most_rounds; ++round) {
    moved = false;
    for (std::int64_t part = 0; part < std::ssize(group); ++part) {
      const auto own = group[part];
      if (members[own] == 1) continue;
      const double without = groups.gain(own, part, -1);
      double most = least_gain * total;
      auto best = own;
      for (const auto other : alive) {
        if (other == own) continue;
        const double gain = without + groups.gain(other, part, 1);
        if (gain <= most) continue;
        most = gain;
        best = other;
      }
      if (best == own) continue;
      groups.move(part, own, best);
      --members[own];
      ++members[best];
      group[part] = best;
      moved = true;
    }
  }
}

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

std::vector<std::int32_t> group_parts(const GroupedSums& parts, std::int64_t count, bool spherical) {
  const auto size = std::ssize(parts.count);
  COHORT_CHECK(count >= 1 && count <= size && std::ssize(parts.sum) == size * parts.columns);
  Groups groups(parts, spherical);
  std::vector<std::int64_t> group(size);
  std::iota(group.begin(), group.end(), 0);
  NearestGroups nearest(groups, group);
  while (std::ssize(nearest.alive()) > count) {
    end_if_interrupted();
    const auto pair = nearest.best();
    groups.merge(pair.into, pair.from);
    std::ranges::replace(group, pair.from, pair.into);
    nearest.merged(pair);
  }
  exchange(groups, nearest.alive(), group);
  std::vector<std::int32_t> result;
  for (const auto of_part : group) {
    const auto place = std::ranges::lower_bound(nearest.alive(), of_part) - nearest.alive().begin();
    result.push_back(static_cast<std::int32_t>(place));
  }
  return result;
}

std::vector<NestedLevel> nest_segments(const Communicator& comm, const PointSet& points, bool spherical,
                                       const KmeansResult& found, std::span<const std::int64_t> counts) {
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
      const auto group = group_parts(parts, *count, spherical);
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
