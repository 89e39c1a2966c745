// The plane of largest variance against a singular value decomposition of the whole matrix, planted directions, and a
// run of one rank alone, with which it must agree in every bit.
#include "cluster/principal_plane.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "core/eigen.hpp"
#include "support/cluster_points.hpp"

namespace cohort {
namespace {

using namespace testing_support;

std::vector<PlanePoint> alone(const SmallPoints& points) {
  const ShardedPoints sharded(points, 0, Distribution::even(ShardedPoints::shards, 1));
  const auto by_row = principal_plane(Communicator::self(), sharded.set());
  auto by_point = by_row;
  for (std::size_t row = 0; row < by_row.size(); ++row) {
    by_point[sharded.index()[row]] = by_row[row];
  }
  return by_point;
}

// Calls check(point, place) for every row of this rank, however the shards lie.
template <class Check>
void each_place(const Communicator& comm, const SmallPoints& points, Check check) {
  for (const auto& cut : cuts(comm)) {
    const ShardedPoints sharded(points, comm.rank(), cut);
    const auto found = principal_plane(comm, sharded.set());
    ASSERT_EQ(found.size(), sharded.index().size());
    for (std::size_t row = 0; row < found.size(); ++row) {
      check(static_cast<std::size_t>(sharded.index()[row]), found[row]);
    }
  }
}

// Along the right singular vectors of the centred points, with the sign that the header promises.
std::vector<std::array<double, 2>> by_svd(const SmallPoints& points) {
  Eigen::MatrixXd all(points.size(), points.columns);
  for (std::int64_t i = 0; i < points.size(); ++i) {
    for (std::int64_t j = 0; j < points.columns; ++j) {
      all(i, j) = static_cast<double>(points.row[i][j]);
    }
  }
  const Eigen::RowVectorXd mean = all.colwise().mean();
  all.rowwise() -= mean;
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(all, Eigen::ComputeThinV);
  std::vector<std::array<double, 2>> places(points.row.size());
  for (Eigen::Index axis = 0; axis < 2; ++axis) {
    Eigen::VectorXd direction = svd.matrixV().col(axis);
    Eigen::Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0) direction = -direction;
    const Eigen::VectorXd along = all * direction;
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i][axis] = along[static_cast<Eigen::Index>(i)];
    }
  }
  return places;
}

TEST(PrincipalPlane, IsThatOfASingularValueDecomposition) {
  const auto comm = Communicator::world();
  // Far from the origin, a sum of squares that is not centred would lose the differences.
  for (const auto& points :
       {blobs(120, 4, 10, 0.3), blobs(90, 5, 33, 0.5), blobs(200, 3, 2, 0.2), blobs(150, 4, 10, 0.3, 1000)}) {
    const auto expected = by_svd(points);
    each_place(comm, points, [&](std::size_t point, const PlanePoint& place) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        EXPECT_NEAR(static_cast<double>(place[axis]), expected[point][axis], 1e-5)
            << points.name << ", point " << point;
      }
    });
  }
}

TEST(PrincipalPlane, HasTheBitsOfOneRankAloneOnAnyThreads) {
  const auto comm = Communicator::world();
  for (const auto& points : {blobs(300, 6, 33, 0.4), blobs(300, 6, 64, 0.4)}) {
    const auto expected = alone(points);
    for (const int threads : {1, 2, 3}) {
      omp_set_num_threads(threads);
      each_place(comm, points, [&](std::size_t point, const PlanePoint& place) { EXPECT_EQ(place, expected[point]); });
    }
  }
}

// Points on two orthogonal lines: (6, 8, 0) t of the larger variance and (0, 0, 1) t; the mean is the origin.
TEST(PrincipalPlane, PlantedDirections) {
  const auto comm = Communicator::world();
  SmallPoints points{"lines", 3, {}, {}};
  for (int t = -5; t <= 5; ++t) {
    const auto along = static_cast<float>(t);
    points.row.push_back({6 * along, 8 * along, 0});
    points.row.push_back({0, 0, -along});
  }
  each_place(comm, points, [&](std::size_t point, const PlanePoint& place) {
    const int t = static_cast<int>(point / 2) - 5;
    EXPECT_NEAR(static_cast<double>(place[0]), point % 2 == 0 ? 10 * t : 0, 1e-5);
    EXPECT_NEAR(static_cast<double>(place[1]), point % 2 == 0 ? 0 : -t, 1e-5);
  });
}

TEST(PrincipalPlane, OneColumnAndNoSpread) {
  const auto comm = Communicator::world();
  SmallPoints line{"line", 1, {}, {}};
  for (int i = 0; i < 9; ++i) line.row.push_back({static_cast<float>(i)});
  each_place(comm, line, [](std::size_t point, const PlanePoint& place) {
    EXPECT_EQ(place, (PlanePoint{static_cast<float>(point) - 4, 0.0F}));
  });
  const SmallPoints same{"same", 4, std::vector<std::vector<float>>(11, {0.5F, -1, 2, 0}), {}};
  each_place(comm, same, [](std::size_t, const PlanePoint& place) { EXPECT_EQ(place, (PlanePoint{0, 0})); });
}

}  // namespace
}  // namespace cohort
