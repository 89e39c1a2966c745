// Centres from former groups and points that stay in them, against plain code over all points; the number of clusters
// of planted clouds.
#include "cluster/former.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <utility>

#include "cluster/count_choice.hpp"
#include "support/kmeans_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// Point i belonged to group i mod 5, every seventh to none.
std::int32_t group_of(std::int64_t point) {
  return point % 7 == 0 ? -1 : static_cast<std::int32_t>(point % 5);
}

std::vector<std::int32_t> groups_of(const ShardedPoints& sharded) {
  std::vector<std::int32_t> groups;
  for (const auto point : sharded.index()) groups.push_back(group_of(point));
  return groups;
}

TEST(Former, CentresAreTheMeansOfGroups) {
  const auto comm = Communicator::world();
  const auto points = blobs(200, 5, 10, 0.3);
  for (const bool spherical : {false, true}) {
    std::vector<std::vector<double>> mean(5, std::vector<double>(10, 0.0));
    std::vector<double> size(5, 0.0);
    for (std::int64_t i = 0; i < points.size(); ++i) {
      if (group_of(i) < 0) continue;
      const auto g = static_cast<std::size_t>(group_of(i));
      const auto row = spherical ? unit(points.row[i]) : points.row[i];
      for (std::size_t e = 0; e < row.size(); ++e) mean[g][e] += static_cast<double>(row[e]);
      ++size[g];
    }
    for (const auto& cut : cuts(comm)) {
      const ShardedPoints sharded(points, comm.rank(), cut);
      const auto groups = groups_of(sharded);
      // Of a sixth group there is nobody.
      const auto centres = former_centres(comm, sharded.set(), {groups, 6}, 9, spherical);
      ASSERT_EQ(centres.rows(), 5);
      std::vector<std::size_t> order{0, 1, 2, 3, 4};
      std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return size[a] > size[b]; });
      for (std::int64_t r = 0; r < 5; ++r) {
        const auto g = order[r];
        double length = 0;
        for (const double sum : mean[g]) length += sum / size[g] * (sum / size[g]);
        const double scale = spherical ? std::sqrt(length) : 1;
        for (std::size_t e = 0; e < 10; ++e) {
          EXPECT_NEAR(static_cast<double>(centres.row(r)[e]), mean[g][e] / size[g] / scale, 1e-6);
        }
      }
      EXPECT_EQ(former_centres(comm, sharded.set(), {groups, 6}, 2, spherical).rows(), 2);
    }
  }
}

TEST(Former, PointsMoveOnlyWhereTheyGainEnough) {
  const auto comm = Communicator::world();
  const auto points = blobs(300, 4, 33, 0.9);
  for (const double stickiness : {0.0, 0.05, 0.3, 1.0}) {
    for (const auto& cut : cuts(comm)) {
      const ShardedPoints sharded(points, comm.rank(), cut);
      auto found = kmeans(comm, sharded.set(), options_for(4));
      const auto plain = found.segment;
      std::vector<std::int32_t> own;
      for (const auto point : sharded.index()) own.push_back(group_of(point) % 4);
      keep_former(comm, sharded.set(), own, false, stickiness, found);
      std::vector<std::int64_t> size(4, 0);
      for (std::size_t row = 0; row < own.size(); ++row) {
        const auto& point = points.row[sharded.index()[row]];
        const double to_plain = std::sqrt(squared(point, found.centroid.row(plain[row])));
        const double to_own = own[row] < 0 ? INFINITY : std::sqrt(squared(point, found.centroid.row(own[row])));
        const bool stays = own[row] >= 0 && !(to_plain < (1 - stickiness) * to_own);
        EXPECT_EQ(found.segment[row], stays ? own[row] : plain[row]);
        EXPECT_NEAR(static_cast<double>(found.distance[row]), stays ? to_own : to_plain, 1e-4);
        if (stays && own[row] != plain[row]) {
          EXPECT_NEAR(static_cast<double>(found.margin[row]), to_plain - to_own, 1e-4);
        }
        ++size[found.segment[row]];
      }
      comm.sum_in_place(std::span<std::int64_t>(size));
      EXPECT_EQ(found.size, size);
    }
  }
}

TEST(Former, NoSegmentIsLeftEmpty) {
  const auto comm = Communicator::world();
  const auto points = blobs(120, 3, 10, 0.1);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
  auto found = kmeans(comm, sharded.set(), options_for(3));
  const auto plain = found.segment;
  // Everybody would stay in the first one.
  keep_former(comm, sharded.set(), std::vector<std::int32_t>(plain.size(), 0), false, 1.0, found);
  EXPECT_EQ(found.segment, plain);
  EXPECT_EQ(found.size, std::vector<std::int64_t>({40, 40, 40}));
}

TEST(Former, KmeansStartsFromCentres) {
  const auto comm = Communicator::world();
  const auto points = blobs(400, 6, 10, 0.1);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).back());
  std::vector<std::int32_t> planted;
  for (const auto point : sharded.index()) planted.push_back(points.planted[point] < 4 ? points.planted[point] : -1);
  const auto start = former_centres(comm, sharded.set(), {planted, 4}, 6, false);
  for (const std::int64_t count : {4, 6}) {
    auto options = options_for(count);
    options.start = start.view();
    const auto found = kmeans(comm, sharded.set(), options);
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    for (std::size_t row = 0; row < planted.size(); ++row) {
      if (planted[row] >= 0) pairs.emplace(planted[row], found.segment[row]);
    }
    std::set<std::int32_t> groups;
    for (const auto& [group, segment] : pairs) groups.insert(group);
    EXPECT_EQ(pairs.size(), groups.size()) << "the clouds that it starts from stay whole";
  }
}

TEST(CountChoice, FindsPlantedCloudsAndNone) {
  const auto comm = Communicator::world();
  for (const bool spherical : {false, true}) {
    for (const std::int64_t clouds : {1, 2, 3, 7}) {
      const auto points = blobs(420, clouds, 12, clouds == 1 ? 1.0 : 0.25);
      const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
      const auto choice = choose_count(comm, sharded.set(), options_for(0, spherical), 2, 20);
      EXPECT_EQ(choice.count, clouds) << (spherical ? "spherical" : "");
      EXPECT_EQ(choice.points, 420);
      EXPECT_EQ(choice.tried.front().count, 2);
      EXPECT_EQ(choice.tried.back().count, 20);
    }
  }
}

// Of many clouds k-means from drawn starts misses some and halves others, and a number that is too small looks best.
TEST(CountChoice, FindsDozensOfClouds) {
  const auto comm = Communicator::world();
  for (const auto& [clouds, each] : {std::pair<std::int64_t, std::int64_t>{50, 16}, {60, 24}}) {
    const auto points = blobs(each * clouds, clouds, 16, 0.1);
    const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
    EXPECT_EQ(choose_count(comm, sharded.set(), options_for(0), 2, 64).count, clouds);
  }
}

// Pieces of a ring are compact, but where it is cut is chance.
TEST(CountChoice, DoesNotCutARing) {
  const auto comm = Communicator::world();
  auto points = blobs(600, 1, 12, 0.15);
  for (std::int64_t i = 0; i < points.size(); ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / 600;
    for (std::int64_t wave = 1; wave <= 2; ++wave) {
      const double strength = wave == 1 ? 2.0 : 1.0;
      points.row[i][2 * wave] += static_cast<float>(strength * std::cos(static_cast<double>(wave) * angle));
      points.row[i][2 * wave + 1] += static_cast<float>(strength * std::sin(static_cast<double>(wave) * angle));
    }
  }
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
  const auto choice = choose_count(comm, sharded.set(), options_for(0), 2, 12);
  EXPECT_EQ(choice.count, 1);
  EXPECT_GT(choice.tried[choice.best].excess(), 0.1);
  EXPECT_FALSE(choice.is_stable());
}

// Halves of a long cloud agree, of whatever shape it is.
TEST(CountChoice, DoesNotCutALongCloud) {
  const auto comm = Communicator::world();
  auto points = blobs(400, 1, 8, 1.0);
  for (auto& row : points.row) row[0] *= 10;
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).back());
  EXPECT_EQ(choose_count(comm, sharded.set(), options_for(0), 2, 12).count, 1);
}

TEST(CountChoice, NeedsDifferentPoints) {
  const auto comm = Communicator::world();
  const auto points = copies(3, 30, 10);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).back());
  EXPECT_EQ(choose_count(comm, sharded.set(), options_for(0), 4, 20).count, 1);
  EXPECT_EQ(choose_count(comm, sharded.set(), options_for(0), 2, 20).count, 3);
}

}  // namespace
}  // namespace cohort
