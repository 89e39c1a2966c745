// Nested segments against all ways to group a few parts, planted hierarchies, plain arithmetic, and one rank alone.
#include "cluster/levels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>

#include "support/kmeans_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;
using Rows = std::vector<std::vector<double>>;

/// Sum of squared distances to the mean, scaled to length 1 if spherical (rows are of length 1 then).
double inertia_of(const Rows& rows, bool spherical) {
  if (rows.empty()) return 0;
  std::vector<double> mean(rows.front().size(), 0.0);
  for (const auto& row : rows) {
    for (std::size_t e = 0; e < mean.size(); ++e) mean[e] += row[e] / static_cast<double>(rows.size());
  }
  const double length = std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
  double sum = 0;
  for (const auto& row : rows) {
    for (std::size_t e = 0; e < mean.size(); ++e) sum += std::pow(row[e] - mean[e] / (spherical ? length : 1), 2);
  }
  return sum;
}

/// Points in parts, with the sums of the parts.
struct Parted {
  std::vector<Rows> part;
  GroupedSums sums;

  double inertia(const std::vector<std::int32_t>& group, std::int64_t count, bool spherical) const {
    std::vector<Rows> rows(count);
    for (std::size_t p = 0; p < part.size(); ++p) {
      rows[group[p]].insert(rows[group[p]].end(), part[p].begin(), part[p].end());
    }
    double sum = 0;
    for (const auto& of_group : rows) sum += inertia_of(of_group, spherical);
    return sum;
  }
};

Parted some_parts(std::uint64_t seed, std::int64_t parts, bool spherical) {
  constexpr std::int64_t columns = 3;
  Parted result;
  result.sums.columns = columns;
  for (std::int64_t p = 0; p < parts; ++p) {
    auto& rows = result.part.emplace_back();
    std::vector<double> sum(columns, 0.0);
    for (std::int64_t i = 0; i < 1 + (p * p + static_cast<std::int64_t>(seed)) % 5; ++i) {
      auto& row = rows.emplace_back();
      for (std::int64_t e = 0; e < columns; ++e)
        row.push_back(normal(seed, p, e) + 0.3 * normal(seed + 99, 10 * p + i, e));
      const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
      for (std::int64_t e = 0; e < columns; ++e) sum[e] += spherical ? row[e] /= length : row[e];
    }
    result.sums.sum.insert(result.sums.sum.end(), sum.begin(), sum.end());
    result.sums.count.push_back(static_cast<double>(rows.size()));
  }
  return result;
}

/// Calls look(group) for every way to put parts into `count` groups none of which is empty, each once.
template <class Look>
void every_grouping(std::vector<std::int32_t>& group, std::size_t at, std::int32_t used, std::int32_t count,
                    const Look& look) {
  if (at == group.size()) {
    if (used == count) look(group);
    return;
  }
  for (std::int32_t g = 0; g <= std::min(used, count - 1); ++g) {
    group[at] = g;
    every_grouping(group, at + 1, std::max(used, g + 1), count, look);
  }
}

double least_inertia(const Parted& parts, std::int64_t count, bool spherical) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<std::int32_t> group(parts.part.size());
  every_grouping(group, 0, 0, static_cast<std::int32_t>(count), [&](const std::vector<std::int32_t>& one) {
    least = std::min(least, parts.inertia(one, count, spherical));
  });
  return least;
}

TEST(Grouping, OneMergeIsTheBestOfAll) {
  for (const bool spherical : {false, true}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto parts = some_parts(seed, 9, spherical);
      const auto group = group_parts(parts.sums, 8, spherical);
      EXPECT_NEAR(parts.inertia(group, 8, spherical), least_inertia(parts, 8, spherical), 1e-9);
    }
  }
}

TEST(Grouping, IsNearTheBestOfAllAndNoMoveBettersIt) {
  double found = 0;
  double least = 0;
  for (const bool spherical : {false, true}) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto parts = some_parts(seed, 8, spherical);
      auto group = group_parts(parts.sums, 3, spherical);
      const double inertia = parts.inertia(group, 3, spherical);
      found += inertia;
      least += least_inertia(parts, 3, spherical);
      for (std::size_t p = 0; p < group.size(); ++p) {
        const auto own = group[p];
        if (std::ranges::count(group, own) == 1) continue;
        for (std::int32_t other = 0; other < 3; ++other) {
          group[p] = other;
          EXPECT_GE(parts.inertia(group, 3, spherical), inertia - 1e-6);
        }
        group[p] = own;
      }
    }
  }
  EXPECT_GE(found, least - 1e-9);
  EXPECT_LE(found, 1.05 * least);
}

TEST(Grouping, AtItsEnds) {
  const auto parts = some_parts(3, 6, false);
  EXPECT_EQ(group_parts(parts.sums, 1, false), std::vector<std::int32_t>(6, 0));
  auto own = group_parts(parts.sums, 6, false);
  std::ranges::sort(own);
  EXPECT_EQ(own, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5}));
}

/// Groups by their first parts, so that two partitions can be compared.
std::vector<std::int32_t> canonical(const std::vector<std::int32_t>& group) {
  std::map<std::int32_t, std::int32_t> name;
  std::vector<std::int32_t> result;
  for (const auto one : group)
    result.push_back(name.emplace(one, static_cast<std::int32_t>(name.size())).first->second);
  return result;
}

/// The grouping of least inertia among `some`.
std::vector<std::int32_t> best_of(const Parted& parts, std::int64_t count, bool spherical,
                                  const std::vector<std::vector<std::int32_t>>& some) {
  return canonical(*std::ranges::min_element(
      some, {}, [&](const std::vector<std::int32_t>& group) { return parts.inertia(group, count, spherical); }));
}

TEST(FormerGroups, StayWhereNobodyMayLeave) {
  for (const bool spherical : {false, true}) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto parts = some_parts(seed, 8, spherical);
      const std::vector<std::int32_t> former{7, 2, 7, 4, 2, 4, 4, 7};
      EXPECT_EQ(canonical(group_parts(parts.sums, 3, spherical, {former, 1.0})), canonical(former));
      // A part that is new joins the group that it adds least to.
      std::vector<std::vector<std::int32_t>> some;
      auto with_new = former;
      with_new[5] = -1;
      for (const std::int32_t joined : {0, 1, 2}) {
        some.push_back(canonical(former));
        some.back()[5] = joined;
      }
      EXPECT_EQ(canonical(group_parts(parts.sums, 3, spherical, {with_new, 1.0})), best_of(parts, 3, spherical, some));
      // One group too many: the two that lose least become one.
      some.clear();
      for (std::int32_t a = 0; a < 3; ++a) {
        some.push_back(canonical(former));
        for (auto& one : some.back()) one = one == a ? (a + 1) % 3 : one;
        some.back() = canonical(some.back());
      }
      EXPECT_EQ(canonical(group_parts(parts.sums, 2, spherical, {former, 1.0})), best_of(parts, 2, spherical, some));
      // One too few: the part that takes most inertia with it is alone.
      some.clear();
      for (std::size_t p = 0; p < 8; ++p) {
        some.push_back(canonical(former));
        some.back()[p] = 3;
      }
      EXPECT_EQ(canonical(group_parts(parts.sums, 4, spherical, {former, 1.0})), best_of(parts, 4, spherical, some));
    }
  }
}

TEST(FormerGroups, ArePartedByWhatGainsMoreThanTheMargin) {
  const std::vector<std::int32_t> former{0, 1, 0, 2, 1, 2, 2, 0, 1};
  int left = 0;
  for (const double stickiness : {0.0, 0.3}) {
    for (const bool spherical : {false, true}) {
      for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const auto parts = some_parts(seed, 9, spherical);
        auto group = group_parts(parts.sums, 3, spherical, {former, stickiness});
        EXPECT_LE(parts.inertia(group, 3, spherical), parts.inertia(former, 3, spherical) + 1e-9);
        left += canonical(group) != canonical(former) ? 1 : 0;
        // Beside a group of its own, what a part adds to each group.
        for (std::size_t p = 0; p < group.size(); ++p) {
          const auto own = group[p];
          if (std::ranges::count(group, own) == 1) continue;
          const auto added = [&](std::int32_t to) {
            group[p] = to;
            const double with = parts.inertia(group, 4, spherical);
            group[p] = 3;
            return with - parts.inertia(group, 4, spherical);
          };
          const double to_own = added(own);
          for (std::int32_t other = 0; other < 3; ++other) {
            if (other == own) continue;
            EXPECT_GE(added(other), std::pow(1 - stickiness, 2) * to_own - 1e-6);
          }
          group[p] = own;
        }
      }
    }
  }
  EXPECT_GT(left, 24) << "groups drawn by chance are no good ones";
}

/// 4 clouds of clouds, of 3 clouds each, of different sizes; planted: the cloud, 3 c + s.
SmallPoints nested_clouds(std::int64_t points, double spread) {
  SmallPoints result{"nested", 10, {}, {}};
  for (std::int64_t i = 0; i < points; ++i) {
    const auto cloud = (i * i + i / 7) % 12;
    auto& row = result.row.emplace_back();
    result.planted.push_back(static_cast<std::int32_t>(cloud));
    for (std::int64_t e = 0; e < 10; ++e) {
      row.push_back(static_cast<float>(normal(1, cloud / 3, e) + 0.3 * normal(2, cloud, e) + spread * normal(3, i, e)));
    }
  }
  return result;
}

struct Nested {
  KmeansResult found;
  std::vector<NestedLevel> levels;
};

Nested nested(const Communicator& comm, const ShardedPoints& sharded, std::int64_t finest, bool spherical,
              const std::vector<std::int64_t>& counts) {
  Nested result;
  auto options = options_for(finest, spherical);
  options.restarts = 4;
  result.found = kmeans(comm, sharded.set(), options);
  result.levels = nest_segments(comm, sharded.set(), spherical, result.found, counts);
  return result;
}

TEST(Levels, FindPlantedOnesAndNumberThemBySize) {
  const auto comm = Communicator::world();
  for (const bool spherical : {false, true}) {
    const auto points = nested_clouds(600, 0.03);
    const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
    const auto found = nested(comm, sharded, 12, spherical, {1, 4});
    ASSERT_EQ(found.levels.size(), 2U);
    std::map<std::int32_t, std::int32_t> group;  // by planted cloud of clouds
    for (std::size_t row = 0; row < sharded.index().size(); ++row) {
      const auto segment = found.levels[1].of_finest[found.found.segment[row]];
      const auto planted = points.planted[static_cast<std::size_t>(sharded.index()[row])] / 3;
      EXPECT_EQ(group.emplace(planted, segment).first->second, segment);
    }
    std::vector<std::int64_t> sizes(4, 0);
    for (const auto cloud : points.planted) ++sizes[cloud / 3];
    std::ranges::sort(sizes, std::ranges::greater());
    EXPECT_EQ(found.levels[1].size, sizes);
    EXPECT_EQ(found.levels[0].size, (std::vector<std::int64_t>{600}));
    EXPECT_EQ(found.levels[0].of_finest, std::vector<std::int32_t>(12, 0));
  }
}

TEST(Levels, LieInsideEachOtherAndHaveTheMeansOfTheirUsers) {
  const auto comm = Communicator::world();
  const auto self = Communicator::self();
  for (const bool spherical : {false, true}) {
    for (const auto& points : {nested_clouds(300, 0.4), blobs(300, 6, 33, 0.5, 3)}) {
      const ShardedPoints all(points, 0, Distribution::even(ShardedPoints::shards, 1));
      const auto expected = nested(self, all, 20, spherical, {2, 5, 11});
      // Alone, against the points.
      for (std::size_t n = 0; n < 3; ++n) {
        const auto& level = expected.levels[n];
        ASSERT_EQ(std::ssize(level.size), (std::vector<std::int64_t>{2, 5, 11})[n]);
        std::vector<std::vector<double>> mean(level.size.size(), std::vector<double>(points.columns, 0.0));
        std::vector<std::int64_t> size(level.size.size(), 0);
        std::vector<std::int64_t> first(level.size.size(), points.size());
        for (std::size_t row = 0; row < all.index().size(); ++row) {
          const auto segment = level.of_finest[expected.found.segment[row]];
          const auto& point = points.row[static_cast<std::size_t>(all.index()[row])];
          const auto used = spherical ? unit(point) : point;
          for (std::size_t e = 0; e < used.size(); ++e) mean[segment][e] += static_cast<double>(used[e]);
          ++size[segment];
          first[segment] = std::min(first[segment], all.index()[row]);
        }
        EXPECT_EQ(level.size, size);
        for (std::size_t s = 0; s < size.size(); ++s) {
          const bool in_order = s == 0 || size[s - 1] > size[s] || (size[s - 1] == size[s] && first[s - 1] < first[s]);
          EXPECT_TRUE(in_order);
          double length = 0;
          for (auto& element : mean[s]) length += element * element;
          length = spherical ? std::sqrt(length) : static_cast<double>(size[s]);
          for (std::size_t e = 0; e < mean[s].size(); ++e) {
            EXPECT_NEAR(static_cast<double>(level.centroid.row(static_cast<std::int64_t>(s))[e]), mean[s][e] / length,
                        1e-5);
          }
        }
        if (n == 0) continue;
        std::map<std::int32_t, std::int32_t> parent;
        for (std::size_t s = 0; s < level.of_finest.size(); ++s) {
          const auto above = expected.levels[n - 1].of_finest[s];
          EXPECT_EQ(parent.emplace(level.of_finest[s], above).first->second, above);
        }
      }
      for (const auto& cut : cuts(comm)) {
        const ShardedPoints sharded(points, comm.rank(), cut);
        const auto found = nested(comm, sharded, 20, spherical, {2, 5, 11});
        for (std::size_t n = 0; n < 3; ++n) {
          EXPECT_EQ(found.levels[n].of_finest, expected.levels[n].of_finest);
          EXPECT_EQ(found.levels[n].size, expected.levels[n].size);
          const auto& centroid = found.levels[n].centroid;
          EXPECT_EQ(std::memcmp(centroid.row(0), expected.levels[n].centroid.row(0),
                                static_cast<std::size_t>(centroid.bytes())),
                    0);
        }
      }
    }
  }
}

TEST(Levels, PlaceAUserByPlainArithmetic) {
  const auto self = Communicator::self();
  const auto points = nested_clouds(200, 0.4);
  const ShardedPoints sharded(points, 0, Distribution::even(ShardedPoints::shards, 1));
  for (const bool spherical : {false, true}) {
    const auto all = nested(self, sharded, 9, spherical, {1, 3});
    for (std::size_t n = 0; n < 2; ++n) {
      const auto& level = all.levels[n];
      const auto set = sharded.set();
      for (std::int64_t row = 0; row < set.rows.rows; ++row) {
        const auto& point = points.row[static_cast<std::size_t>(sharded.index()[row])];
        const auto used = spherical ? unit(point) : point;
        const auto distance = [&](const float* centre) {
          return spherical ? squared(used, centre) / 2 : std::sqrt(squared(used, centre));
        };
        const auto finest = all.found.segment[row];
        const auto own = level.of_finest[finest];
        double other = std::numeric_limits<double>::infinity();
        for (std::int64_t s = 0; s < 9; ++s) {
          if (level.of_finest[s] != own) other = std::min(other, distance(all.found.centroid.row(s)));
        }
        const auto found = place_in_level(set.rows.row(row), all.found.centroid.view(), level.of_finest,
                                          level.centroid.view(), spherical);
        EXPECT_NEAR(static_cast<double>(found.distance), distance(level.centroid.row(own)), 1e-6);
        if (n == 0) {
          EXPECT_EQ(found.margin, std::numeric_limits<float>::infinity());
        } else {
          EXPECT_NEAR(static_cast<double>(found.margin), other - distance(all.found.centroid.row(finest)), 1e-6);
          EXPECT_GE(found.margin, 0.0F);
        }
      }
    }
    if (!spherical) continue;
    const std::vector<float> zeros(16, 0.0F);
    const auto found = place_in_level(zeros.data(), all.found.centroid.view(), all.levels[1].of_finest,
                                      all.levels[1].centroid.view(), true);
    EXPECT_EQ(found.distance, 1.0F);
    EXPECT_EQ(found.margin, 0.0F);
  }
}

}  // namespace
}  // namespace cohort
