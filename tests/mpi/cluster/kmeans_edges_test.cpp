// K-means where points coincide, are too few, too close, of length 0 or no numbers, and what empty centres become.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "cluster/kmeans.hpp"
#include "cluster/lloyd.hpp"
#include "cluster/seeding.hpp"
#include "core/error.hpp"
#include "support/kmeans_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

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
      {one_zero, 2, true, "there is only 1 user whose embeddings point in different directions"},
      {zeros, 1, true, "there is nothing to cluster by"},
      {SmallPoints{"none", 3, {}, {}}, 1, false, "there is nothing to cluster by"}};
  for (const auto& [points, count, spherical, message] : cases) {
    const ShardedPoints sharded(points, comm.rank(), cuts(comm).front());
    try {
      kmeans(comm, sharded.set(), options_for(count, spherical));
      ADD_FAILURE() << message;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
      if (message.find("only") == std::string::npos) continue;
      EXPECT_NE(std::string(error.what()).find("segment.count is " + std::to_string(count)), std::string::npos);
    }
  }
}

TEST(Kmeans, FewerSegmentsWhereFewerUsersDiffer) {
  const auto comm = Communicator::world();
  const std::vector<std::tuple<SmallPoints, std::int64_t, bool, std::size_t>> cases{
      {copies(5, 100, 10), 10, false, 5}, {copies(5, 4, 33), 10, false, 5}, {copies(5, 100, 10, true), 10, true, 5},
      {blobs(7, 7, 10, 1), 8, false, 7},  {copies(1, 9, 10), 3, false, 1},  {copies(5, 4, 33), 4, false, 4}};
  for (const auto& [points, count, spherical, differ] : cases) {
    for (const auto& cut : cuts(comm)) {
      SCOPED_TRACE(points.name);
      const ShardedPoints sharded(points, comm.rank(), cut);
      auto options = options_for(count, spherical);
      options.or_fewer = true;
      const auto found = kmeans(comm, sharded.set(), options);
      ASSERT_EQ(found.size.size(), differ);
      EXPECT_EQ(found.centroid.rows(), static_cast<std::int64_t>(differ));
      EXPECT_TRUE(std::ranges::all_of(found.size, [](auto s) { return s > 0; }));
      EXPECT_TRUE(
          std::ranges::all_of(found.segment, [differ = differ](auto s) { return s >= 0 && std::cmp_less(s, differ); }));
      const bool alone = differ == 1;
      EXPECT_TRUE(!alone || std::ranges::all_of(found.margin, [](float m) { return std::isinf(m); }));
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
    EXPECT_EQ(found.segment[row], zero ? 0 : points.planted[sharded.index()[row]]);
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
      std::vector<double> sum(points.columns, 0.0);
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
    const auto population = checked_points(comm, sharded.set());
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
  const auto expected = find_candidates(self, checked_points(self, whole.set()), 5, 9);
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
    const auto found = find_candidates(comm, checked_points(comm, sharded.set()), 5, 9);
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
