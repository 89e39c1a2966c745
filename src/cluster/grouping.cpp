#include "cluster/grouping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "core/error.hpp"
#include "core/interruption.hpp"

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
  /// Of a part alone.
  double part_worth(std::int64_t part) const { return worth_of(part_square_[part], parts_.count[part]); }
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
  /// Takes a part out of its group into one of its own, which has a name that no group has.
  void take_out(std::int64_t part, std::int64_t from, std::int64_t into) {
    std::ranges::fill(row(sum_, into), 0.0);
    count_[into] = 0;
    move(part, from, into);
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

// The pair of groups whose merging loses least, kept up to date: of every group the best partner behind it. Two groups
// that are `apart` (by name) are no pair.
class NearestGroups {
 public:
  NearestGroups(const Groups& groups, std::vector<std::int64_t> alive, std::vector<char> apart)
      : groups_(groups),
        alive_(std::move(alive)),
        apart_(std::move(apart)),
        partner_(groups.size()),
        loss_(groups.size(), infinity) {
    for (std::size_t place = 0; place < alive_.size(); ++place) look(place);
  }

  struct Pair {
    std::int64_t into, from;
  };
  /// Of equal ones the first; from is -1 where there is no pair.
  Pair best() const {
    const auto least = *std::ranges::min_element(alive_, {}, [&](std::int64_t group) { return loss_[group]; });
    return {least, partner_[least]};
  }
  /// After `pair` was merged.
  void merged(const Pair& pair) {
    std::erase(alive_, pair.from);
    if (apart_[pair.from] != 0) apart_[pair.into] = 1;
    for (std::size_t place = 0; place < alive_.size(); ++place) {
      const auto group = alive_[place];
      if (group == pair.into || partner_[group] == pair.into || partner_[group] == pair.from) {
        look(place);
      } else if (group < pair.into) {
        const double loss = loss_of(group, pair.into);
        if (loss < loss_[group]) {
          loss_[group] = loss;
          partner_[group] = pair.into;
        }
      }
    }
  }
  const std::vector<std::int64_t>& alive() const { return alive_; }

 private:
  double loss_of(std::int64_t a, std::int64_t b) const {
    return apart_[a] != 0 && apart_[b] != 0 ? infinity : groups_.loss(a, b);
  }
  void look(std::size_t place) {
    const auto group = alive_[place];
    loss_[group] = infinity;
    partner_[group] = -1;
    for (auto next = place + 1; next < alive_.size(); ++next) {
      const double loss = loss_of(group, alive_[next]);
      if (loss >= loss_[group]) continue;
      loss_[group] = loss;
      partner_[group] = alive_[next];
    }
  }

  const Groups& groups_;
  std::vector<std::int64_t> alive_;  // ascending
  std::vector<char> apart_;
  std::vector<std::int64_t> partner_;  // by group
  std::vector<double> loss_;
};

// Moves parts to the group where they are worth most, until none gains. group: names of groups, some of 0..parts-1.
// Those that were in a group before stay where they are, unless they would add less than `share` of what they add
// there.
void exchange(Groups& groups, const std::vector<std::int64_t>& alive, const FormerGrouping& former,
              std::vector<std::int64_t>& group) {
  const double share = (1 - former.stickiness) * (1 - former.stickiness);
  std::vector<std::int64_t> members(group.size(), 0);
  for (const auto of_part : group) ++members[of_part];
  double total = 0;
  for (const auto one : alive) total += groups.worth(one);
  bool moved = true;
  for (int round = 0; moved && round < most_rounds; ++round) {
    moved = false;
    for (std::int64_t part = 0; part < std::ssize(group); ++part) {
      const auto own = group[part];
      const bool was_in_a_group = !former.of.empty() && former.of[part] >= 0;
      if (members[own] == 1 || (was_in_a_group && share == 0)) continue;
      const double without = groups.gain(own, part, -1);
      double most = least_gain * total;
      if (was_in_a_group) most = std::max(most, (1 - share) * (groups.part_worth(part) + without));
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

// A group for each that parts were in before, named by its first part; other parts alone. Returns which names stand for
// former groups.
std::vector<char> group_as_before(const FormerGrouping& former, Groups& groups, std::vector<std::int64_t>& group) {
  std::vector<char> is_former(group.size(), 0);
  std::map<std::int32_t, std::int64_t> name;
  for (std::size_t part = 0; part < former.of.size(); ++part) {
    if (former.of[part] < 0) continue;
    const auto [found, is_new] = name.try_emplace(former.of[part], static_cast<std::int64_t>(part));
    if (!is_new) groups.merge(found->second, static_cast<std::int64_t>(part));
    group[part] = found->second;
    is_former[found->second] = 1;
  }
  return is_former;
}

std::vector<std::int64_t> names_of(std::vector<std::int64_t> group) {
  std::ranges::sort(group);
  group.erase(std::unique(group.begin(), group.end()), group.end());
  return group;
}

// Merges pairs of groups until there are `count`, or none that may be merged.
void merge_down(Groups& groups, NearestGroups& nearest, std::int64_t count, std::vector<std::int64_t>& group) {
  while (std::ssize(nearest.alive()) > count) {
    end_if_interrupted();
    const auto pair = nearest.best();
    if (pair.from < 0) return;
    groups.merge(pair.into, pair.from);
    std::ranges::replace(group, pair.from, pair.into);
    nearest.merged(pair);
  }
}

// One group more, of the part that is worth most alone.
void split_off(Groups& groups, const std::vector<std::int64_t>& alive, std::vector<std::int64_t>& group) {
  std::vector<std::int64_t> members(group.size(), 0);
  for (const auto of_part : group) ++members[of_part];
  std::int64_t best = -1;
  double most = -infinity;
  for (std::int64_t part = 0; part < std::ssize(group); ++part) {
    if (members[group[part]] == 1) continue;
    const double gain = groups.part_worth(part) + groups.gain(group[part], part, -1);
    if (gain <= most) continue;
    most = gain;
    best = part;
  }
  std::int64_t name = 0;
  while (std::ranges::binary_search(alive, name)) ++name;
  groups.take_out(best, group[best], name);
  group[best] = name;
}

}  // namespace

std::vector<std::int32_t> group_parts(const GroupedSums& parts, std::int64_t count, bool spherical,
                                      const FormerGrouping& former) {
  const auto size = std::ssize(parts.count);
  COHORT_CHECK(count >= 1 && count <= size && std::ssize(parts.sum) == size * parts.columns);
  COHORT_CHECK(former.of.empty() || std::ssize(former.of) == size);
  Groups groups(parts, spherical);
  std::vector<std::int64_t> group(size);
  std::iota(group.begin(), group.end(), 0);
  auto apart = group_as_before(former, groups, group);
  // What was in no group joins one first.
  auto alive = names_of(group);
  for (const bool last : {false, true}) {
    if (std::ssize(alive) <= count) break;
    if (last) std::ranges::fill(apart, 0);
    NearestGroups nearest(groups, alive, apart);
    merge_down(groups, nearest, count, group);
    alive = nearest.alive();
  }
  for (; std::ssize(alive) < count; alive = names_of(group)) split_off(groups, alive, group);
  exchange(groups, alive, former, group);
  std::vector<std::int32_t> result;
  for (const auto of_part : group) {
    const auto place = std::ranges::lower_bound(alive, of_part) - alive.begin();
    result.push_back(static_cast<std::int32_t>(place));
  }
  return result;
}

}  // namespace cohort
