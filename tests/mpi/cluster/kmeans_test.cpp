// K-means against plain serial code in float64, planted clouds, and a run of one rank alone that holds all points: with
// that one it must agree in every bit.
#include "cluster/kmeans.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "cluster/lloyd.hpp"
#include "cluster/seeding.hpp"
#include "cluster/settle.hpp"
#include "support/kmeans_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(Kmeans, IsTheSameToTheBitForAnyRanksAndThreads) {
  const auto comm = Communicator::world();
  const int threads = omp_get_max_threads();
  bool spherical = true;
  for (const auto& points : all_kinds()) {
    spherical = !spherical;  // every other one
    SCOPED_TRACE(points.name + (spherical ? " spherical" : ""));
    auto options = options_for(5, spherical);
    options.max_iterations = 6;  // a collective call takes long where ranks share cores
    omp_set_num_threads(1);
    const auto expected = alone(points, options);
    int now = 2;  // 2 threads where all ranks have shards, 3 where one has all
    for (const auto& cut : cuts(comm)) {
      omp_set_num_threads(now++);
      const ShardedPoints sharded(points, comm.rank(), cut);
      const auto found = kmeans(comm, sharded.set(), options);
      for (std::size_t row = 0; row < sharded.index().size(); ++row) {
        const auto point = static_cast<std::size_t>(sharded.index()[row]);
        ASSERT_EQ(found.segment[row], expected.segment[point]);
        ASSERT_EQ(found.distance[row], expected.distance[point]);
        ASSERT_EQ(found.margin[row], expected.margin[point]);
      }
      EXPECT_EQ(found.size, expected.size);
      EXPECT_EQ(found.inertia, expected.inertia);
      EXPECT_EQ(found.restart, expected.restart);
      EXPECT_EQ(found.reseeded, expected.reseeded);
      ASSERT_EQ(found.centroid.bytes(), expected.centroid.bytes());
      EXPECT_EQ(std::memcmp(found.centroid.row(0), expected.centroid.row(0),
                            static_cast<std::size_t>(found.centroid.bytes())),
                0);
    }
    omp_set_num_threads(threads);
  }
}

TEST(Kmeans, SegmentIsTheNearestCentroidInFloat64) {
  for (const auto& points : all_kinds()) {
    for (const bool spherical : {false, true}) {
      SCOPED_TRACE(points.name + (spherical ? " spherical" : ""));
      const auto found = alone(points, options_for(5, spherical));
      std::vector<std::int64_t> size(5, 0);
      std::vector<std::int64_t> first(5, points.size());
      double inertia = 0;
      for (std::int64_t i = 0; i < points.size(); ++i) {
        const auto p = static_cast<std::size_t>(i);
        if (spherical && std::ranges::all_of(points.row[p], [](float e) { return e == 0; })) {
          ++size[0];
          continue;
        }
        const auto row = spherical ? unit(points.row[p]) : points.row[p];
        std::vector<double> distance;
        for (std::int64_t j = 0; j < 5; ++j) distance.push_back(squared(row, found.centroid.row(j)));
        const auto segment = static_cast<std::size_t>(found.segment[p]);
        // The reference adds up in another order: a nearer one by less than that is no nearer. On whole numbers there
        // is nothing to round where the centroids are simple, and the smaller number must have won.
        const double slack = points.name == "copies" ? 0 : 1e-14;
        for (std::size_t j = 0; j < 5; ++j) {
          if (j < segment) {
            ASSERT_GT(distance[j], distance[segment] * (1 - slack));
          }
          if (j > segment) {
            ASSERT_GE(distance[j] * (1 + slack), distance[segment]);
          }
        }
        ++size[segment];
        first[segment] = std::min(first[segment], i);
        inertia += distance[segment];
        std::ranges::sort(distance);
        const auto as_told = [&](double d) { return spherical ? d / 2 : std::sqrt(d); };
        ASSERT_NEAR(found.distance[p], as_told(distance[0]), 1e-6 * as_told(distance[0]));
        ASSERT_NEAR(found.margin[p], as_told(distance[1]) - as_told(distance[0]), 1e-6 * as_told(distance[1]));
      }
      EXPECT_EQ(found.size, size);
      for (std::size_t j = 0; j + 1 < 5; ++j) {
        EXPECT_TRUE(size[j] > size[j + 1] || (size[j] == size[j + 1] && first[j] < first[j + 1])) << j;
      }
      EXPECT_NEAR(found.inertia.back(), inertia, 1e-12 * inertia);
    }
  }
}

// 0, 1, 2 | 3 | 4, 5 with centres 1 and 5: 3 is equally far from both. Where the centre at 5 comes first it takes 3;
// both then have three points, the least id puts the one at 1 first, and 3 must go over.
TEST(Kmeans, TiesGoToTheSmallerNumberAfterNumbering) {
  const auto comm = Communicator::world();
  const SmallPoints points{"line", 1, {{0}, {1}, {2}, {3}, {4}, {5}}, {}};
  for (const auto& cut : cuts(comm)) {
    const ShardedPoints sharded(points, comm.rank(), cut);
    for (const bool far_first : {true, false}) {
      Matrix centres(2, 1);
      centres.row(far_first ? 0 : 1)[0] = 5;
      centres.row(far_first ? 1 : 0)[0] = 1;
      const auto raw = assign_exactly(comm, sharded.set(), centres.view());
      EXPECT_EQ(raw.size, far_first ? (std::vector<std::int64_t>{3, 3}) : (std::vector<std::int64_t>{4, 2}));
      std::int64_t reseeded = 0;
      const auto settled = settle(comm, sharded.set(), options_for(2), centres, reseeded);
      EXPECT_EQ(settled.size, (std::vector<std::int64_t>{4, 2}));
      EXPECT_EQ(reseeded, 0);
      EXPECT_EQ(centres.row(0)[0], 1.0F);
      for (std::size_t row = 0; row < sharded.index().size(); ++row) {
        EXPECT_EQ(settled.nearest[row], sharded.index()[row] <= 3 ? 0 : 1);
        EXPECT_EQ(settled.distance[row] == settled.second[row], sharded.index()[row] == 3);
      }
    }
  }
}

TEST(Kmeans, IteratesAsPlainLloydDoes) {
  const auto comm = Communicator::world();
  for (const auto& points : {blobs(500, 5, 10, 0.8), blobs(300, 5, 33, 1.0)}) {
    constexpr std::int64_t count = 7;
    auto options = options_for(count);
    options.tolerance = 0;
    options.max_iterations = 30;
    Matrix start(count, points.columns);
    std::vector<std::vector<double>> centre;
    for (std::int64_t j = 0; j < count; ++j) {
      const auto& row = points.row[j * 11];
      std::ranges::copy(row, start.row(j));
      centre.emplace_back(row.begin(), row.end());
    }
    std::vector<double> inertia;
    std::vector<std::size_t> nearest(points.row.size(), count);
    for (int iteration = 0; iteration < options.max_iterations; ++iteration) {
      bool changed = false;
      inertia.push_back(0);
      auto next = centre;
      std::vector<double> size(count, 0.0);
      for (auto& row : next) std::ranges::fill(row, 0.0);
      for (std::size_t i = 0; i < points.row.size(); ++i) {
        std::size_t best = 0;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < centre.size(); ++j) {
          double sum = 0;
          for (std::size_t e = 0; e < centre[j].size(); ++e) {
            sum += std::pow(static_cast<double>(points.row[i][e]) - centre[j][e], 2);
          }
          if (sum < least) {
            least = sum;
            best = j;
          }
        }
        changed = changed || nearest[i] != best;
        nearest[i] = best;
        inertia.back() += least;
        size[best] += 1;
        for (std::size_t e = 0; e < next[best].size(); ++e) next[best][e] += static_cast<double>(points.row[i][e]);
      }
      if (!changed) break;
      for (std::size_t j = 0; j < centre.size(); ++j) {
        for (auto& element : next[j]) element /= size[j];
      }
      centre = next;
    }
    ASSERT_GT(inertia.size(), 3U);
    for (const auto& cut : cuts(comm)) {
      const ShardedPoints sharded(points, comm.rank(), cut);
      Matrix copy(count, points.columns);
      std::memcpy(copy.row(0), start.row(0), static_cast<std::size_t>(start.bytes()));
      const auto run = run_lloyd(comm, checked_points(comm, sharded.set()), options, std::move(copy));
      ASSERT_EQ(run.inertia.size(), inertia.size());
      for (std::size_t i = 0; i < inertia.size(); ++i) EXPECT_NEAR(run.inertia[i], inertia[i], 1e-6 * inertia[i]);
      for (std::int64_t j = 0; j < count; ++j) {
        for (std::int64_t e = 0; e < points.columns; ++e) {
          EXPECT_NEAR(run.centres.row(j)[e], centre[j][e], 1e-6);
        }
      }
    }
  }
}

TEST(Kmeans, FindsPlantedClouds) {
  for (const auto& points : {blobs(900, 8, 10, 0.1), blobs(900, 8, 33, 0.1), blobs(300, 8, 10, 0.02, 1000)}) {
    for (const bool spherical : {false, true}) {
      if (spherical && std::abs(points.row[0][0]) > 100) continue;  // all in one direction
      const auto found = alone(points, options_for(8, spherical));
      std::set<std::pair<std::int32_t, std::int32_t>> pairs;
      for (std::size_t i = 0; i < points.row.size(); ++i) pairs.insert({found.segment[i], points.planted[i]});
      EXPECT_EQ(pairs.size(), 8U) << points.name << spherical;
    }
  }
}

TEST(Kmeans, InertiaNeverRises) {
  for (const auto& points : all_kinds()) {
    for (const bool spherical : {false, true}) {
      auto options = options_for(5, spherical);
      options.tolerance = 0;
      const auto found = alone(points, options);
      for (std::size_t i = 1; i < found.inertia.size(); ++i) {
        EXPECT_LE(found.inertia[i], found.inertia[i - 1] * (1 + 1e-6)) << points.name;
      }
    }
  }
}

TEST(Kmeans, RestartsKeepTheLowestInertia) {
  const auto points = blobs(500, 12, 10, 0.6);
  auto options = options_for(12);
  options.restarts = 1;
  const auto one = alone(points, options);
  options.restarts = 8;
  const auto eight = alone(points, options);
  ASSERT_GT(eight.restart, 0);  // or there is nothing to see
  EXPECT_LT(eight.inertia.back(), one.inertia.back());
}

}  // namespace
}  // namespace cohort
