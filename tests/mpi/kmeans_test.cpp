// K-means against plain serial code in float64, planted clouds, and a run of one rank alone that holds all points: with
// that one it must agree in every bit.
#include "cluster/kmeans.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "cluster/lloyd.hpp"
#include "cluster/seeding.hpp"
#include "cluster/settle.hpp"
#include "cluster_points.hpp"

namespace cohort {
namespace {

using namespace testing_support;

KmeansOptions options_for(std::int64_t count, bool spherical = false) {
  KmeansOptions options;
  options.count = count;
  options.spherical = spherical;
  options.restarts = 2;
  options.max_iterations = 12;
  return options;
}

// All points on this rank alone, in the same shards; the values of rows are those of points.
KmeansResult alone(const SmallPoints& points, const KmeansOptions& options) {
  const auto self = Communicator::self();
  const ShardedPoints sharded(points, 0, Distribution::even(ShardedPoints::shards, 1));
  auto by_point = kmeans(self, sharded.set(), options);
  const auto segment = by_point.segment;
  const auto distance = by_point.distance;
  const auto margin = by_point.margin;
  for (std::size_t row = 0; row < sharded.index().size(); ++row) {
    const auto point = static_cast<std::size_t>(sharded.index()[row]);
    by_point.segment[point] = segment[row];
    by_point.distance[point] = distance[row];
    by_point.margin[point] = margin[row];
  }
  return by_point;
}

double squared(const std::vector<float>& a, const float* b) {
  double sum = 0;
  for (std::size_t e = 0; e < a.size(); ++e) sum += std::pow(static_cast<double>(a[e]) - static_cast<double>(b[e]), 2);
  return sum;
}

std::vector<float> unit(const std::vector<float>& row) {
  double square = 0;
  for (const float element : row) square += static_cast<double>(element) * static_cast<double>(element);
  std::vector<float> result;
  for (const float element : row)
    result.push_back(static_cast<float>(static_cast<double>(element) / std::sqrt(square)));
  return result;
}

std::vector<SmallPoints> all_kinds() {
  return {blobs(400, 6, 10, 0.3), blobs(300, 4, 33, 0.5), blobs(200, 5, 10, 0.01, 300), grid(9), copies(5, 20, 10)};
}

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
      const auto& row = points.row[static_cast<std::size_t>(j * 11)];
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
      const auto run = run_lloyd(comm, checked_population(comm, sharded.set()), options, std::move(copy));
      ASSERT_EQ(run.inertia.size(), inertia.size());
      for (std::size_t i = 0; i < inertia.size(); ++i) EXPECT_NEAR(run.inertia[i], inertia[i], 1e-6 * inertia[i]);
      for (std::int64_t j = 0; j < count; ++j) {
        for (std::int64_t e = 0; e < points.columns; ++e) {
          EXPECT_NEAR(run.centres.row(j)[e], centre[static_cast<std::size_t>(j)][static_cast<std::size_t>(e)], 1e-6);
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

TEST(Kmeans, TooFewDifferentUsersIsAnErrorThatCountsThem) {
  const auto comm = Communicator::world();
  SmallPoints one_zero{"zero", 3, {{0, 0, 0}, {-0.0F, 0, 0}, {1, 0, 0}}, {}};
  SmallPoints zeros{"zeros", 3, {{0, 0, 0}, {0, 0, 0}}, {}};
  // 100 copies are more than 10 k points are: candidates are drawn; 4 are not.
  const std::vector<std::tuple<SmallPoints, std::int64_t, bool, std::string>> cases{
      {copies(5, 100, 10), 10, false, "there are only 5 users with different embeddings"},
      {copies(5, 4, 33), 10, false, "there are only 5 users with different embeddings"},
      {copies(5, 100, 10, true), 10, true, "there are only 5 users whose embeddings point in different directions"},
      {blobs(7, 7, 10, 1), 8, false, "there are only 7 users with different embeddings"},
      {one_zero, 3, false, "there are only 2 users with different embeddings"},
      {one_zero, 2, true, "there are only 1 users whose embeddings point in different directions"},
      {zeros, 1, true, "there are only 0 users whose embeddings point in different directions"},
      {SmallPoints{"none", 3, {}, {}}, 1, false, "there are only 0 users with different embeddings"}};
  for (const auto& [points, count, spherical, message] : cases) {
    const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
    try {
      kmeans(comm, sharded.set(), options_for(count, spherical));
      ADD_FAILURE() << message;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("segment.count is " + std::to_string(count)), std::string::npos);
    }
  }
}

TEST(Kmeans, AsManySegmentsAsDifferentUsers) {
  const auto comm = Communicator::world();
  // Scaled copies differ: 100 of them.
  const std::vector<std::pair<SmallPoints, std::int64_t>> cases{
      {copies(5, 100, 10), 5}, {copies(5, 20, 10, true), 100}, {blobs(40, 3, 33, 0.001), 40}, {grid(5), 25}};
  for (const auto& [points, count] : cases) {
    for (const auto& cut : cuts(comm)) {
      SCOPED_TRACE(points.name);
      const ShardedPoints sharded(points, comm.rank(), cut);
      auto options = options_for(count);
      options.restarts = 1;
      const auto found = kmeans(comm, sharded.set(), options);
      EXPECT_EQ(found.inertia.back(), 0.0);
      EXPECT_TRUE(std::ranges::all_of(found.distance, [](float d) { return d == 0; }));
      EXPECT_TRUE(std::ranges::all_of(found.size, [each = points.size() / count](auto s) { return s == each; }));
    }
  }
}

// Points a few float32 steps apart, far from the origin: the products cannot tell them apart, the result must.
TEST(Kmeans, NoSegmentIsEmptyWhereFloat32IsTooCoarse) {
  const auto comm = Communicator::world();
  const auto points = blobs(40, 3, 10, 1e-4, 1000);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
  EXPECT_EQ(kmeans(comm, sharded.set(), options_for(40)).size, std::vector<std::int64_t>(40, 1));
}

TEST(Kmeans, OneSegmentIsTheMean) {
  const auto comm = Communicator::world();
  const auto points = blobs(200, 3, 33, 0.5);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).back());
  const auto found = kmeans(comm, sharded.set(), options_for(1));
  for (std::size_t e = 0; e < 33; ++e) {
    double mean = 0;
    for (const auto& row : points.row) mean += static_cast<double>(row[e]) / 200;
    EXPECT_NEAR(found.centroid.row(0)[e], mean, 1e-6);
  }
  EXPECT_EQ(found.size, std::vector<std::int64_t>{200});
  EXPECT_TRUE(std::ranges::all_of(found.margin, [](float m) { return std::isinf(m) && m > 0; }));
}

TEST(Kmeans, SphericalIgnoresLengthAndPutsZeroRowsInTheFirstSegment) {
  const auto comm = Communicator::world();
  auto points = copies(4, 10, 10, true);
  points.row.emplace_back(10, 0.0F);
  const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
  const auto found = kmeans(comm, sharded.set(), options_for(4, true));
  EXPECT_EQ(found.size, (std::vector<std::int64_t>{11, 10, 10, 10}));
  for (std::size_t row = 0; row < sharded.index().size(); ++row) {
    const bool zero = sharded.index()[row] == 40;
    EXPECT_EQ(found.distance[row], zero ? 1.0F : 0.0F);
    EXPECT_EQ(found.margin[row], zero ? 0.0F : 1.0F);
    EXPECT_EQ(found.segment[row], zero ? 0 : points.planted[static_cast<std::size_t>(sharded.index()[row])]);
  }
}

TEST(Kmeans, SphericalCentroidsAreTheDirectionsOfTheirSegments) {
  for (const auto& points : {blobs(400, 6, 10, 0.3), blobs(300, 4, 33, 0.5)}) {
    auto options = options_for(4, true);
    options.tolerance = 0;  // until no user changes its segment: then centroids are those of the segments
    options.max_iterations = 200;
    const auto found = alone(points, options);
    ASSERT_LT(found.inertia.size(), 200U);
    for (std::int64_t j = 0; j < 4; ++j) {
      std::vector<double> sum(static_cast<std::size_t>(points.columns), 0.0);
      for (std::size_t i = 0; i < points.row.size(); ++i) {
        if (found.segment[i] != j) continue;
        const auto row = unit(points.row[i]);
        for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += static_cast<double>(row[e]);
      }
      double square = 0;
      for (const double element : sum) square += element * element;
      for (std::size_t e = 0; e < sum.size(); ++e) {
        EXPECT_NEAR(found.centroid.row(j)[e], sum[e] / std::sqrt(square), 1e-6);
      }
    }
  }
}

TEST(Kmeans, EmptyCentresGoToTheFarthestPoints) {
  const auto comm = Communicator::world();
  // 20 points at 0, two at 10 on one axis and one at 7 on another; all centres start at 0.
  SmallPoints points{"far", 10, std::vector<std::vector<float>>(23, std::vector<float>(10, 0.0F)), {}};
  points.row[3][1] = points.row[11][1] = 10;
  points.row[17][2] = 7;
  for (const auto& cut : cuts(comm)) {
    const ShardedPoints sharded(points, comm.rank(), cut);
    const auto population = checked_population(comm, sharded.set());
    const auto farthest = farthest_rows(comm, population.points, Matrix(1, 10).view(),
                                        std::vector<std::int32_t>(sharded.index().size(), 0), 5);
    ASSERT_EQ(farthest.rows(), 2);  // the two at 10 are one, the others are no distance away
    EXPECT_EQ(farthest.row(0)[1], 10.0F);
    EXPECT_EQ(farthest.row(1)[2], 7.0F);
    const auto run = run_lloyd(comm, population, options_for(3), Matrix(3, 10));
    EXPECT_EQ(run.reseeded, 2);
    EXPECT_EQ(run.inertia.back(), 0.0);
  }
}

TEST(Kmeans, CandidatesStandForAllPoints) {
  const auto comm = Communicator::world();
  const auto points = blobs(600, 6, 10, 0.3);
  const auto self = Communicator::self();
  const ShardedPoints whole(points, 0, Distribution::even(ShardedPoints::shards, 1));
  const auto expected = find_candidates(self, checked_population(self, whole.set()), 5, 9);
  // 1 + 5 rounds of about 2 k.
  EXPECT_GT(expected.rows.rows(), 25);
  EXPECT_LT(expected.rows.rows(), 80);
  EXPECT_EQ(std::accumulate(expected.weight.begin(), expected.weight.end(), 0.0), 600.0);
  const std::set<std::vector<float>> all(points.row.begin(), points.row.end());
  std::map<std::vector<float>, double> weight;
  for (std::int64_t i = 0; i < expected.rows.rows(); ++i) {
    const auto row = expected.rows.view().at(i);
    EXPECT_TRUE(all.contains({row.begin(), row.end()}));
  }
  for (const auto& point : points.row) {
    std::size_t best = 0;
    for (std::size_t c = 1; c < expected.weight.size(); ++c) {
      if (squared(point, expected.rows.row(static_cast<std::int64_t>(c))) <
          squared(point, expected.rows.row(static_cast<std::int64_t>(best)))) {
        best = c;
      }
    }
    const auto row = expected.rows.view().at(static_cast<std::int64_t>(best));
    weight[{row.begin(), row.end()}] += 1;
  }
  for (std::size_t c = 0; c < expected.weight.size(); ++c) {
    const auto row = expected.rows.view().at(static_cast<std::int64_t>(c));
    EXPECT_EQ(expected.weight[c], (weight[{row.begin(), row.end()}]));
  }
  for (const auto& cut : cuts(comm)) {
    const ShardedPoints sharded(points, comm.rank(), cut);
    const auto found = find_candidates(comm, checked_population(comm, sharded.set()), 5, 9);
    EXPECT_EQ(found.weight, expected.weight);
    ASSERT_EQ(found.rows.rows(), expected.rows.rows());
    EXPECT_EQ(std::memcmp(found.rows.row(0), expected.rows.row(0), static_cast<std::size_t>(found.rows.bytes())), 0);
  }
}

TEST(Kmeans, CoordinatesThatAreNoNumbersEndTheRunOnAllRanks) {
  const auto comm = Communicator::world();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 1e16F}) {
    auto points = blobs(60, 3, 33, 0.5);
    points.row[20][32] = bad;
    points.row[41][0] = bad;
    const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
    for (const bool spherical : {false, true}) {
      try {
        kmeans(comm, sharded.set(), options_for(3, spherical));
        ADD_FAILURE();
      } catch (const RunError& error) {
        const auto named = "user number " + std::to_string(ShardedPoints::id_of(20)) + " has";
        EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace cohort
