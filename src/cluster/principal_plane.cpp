#include "cluster/principal_plane.hpp"

#include <algorithm>
#include <cmath>

#include "cluster/checked_points.hpp"
#include "comm/shard_sum.hpp"
#include "core/eigen.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

// Partial sums that a rank holds at once: 2^22 of them, 32 MiB. Which are summed together does not change their bits.
constexpr std::int64_t partials_at_once = std::int64_t{1} << 22;

std::int64_t most_shards(const ShardLayout& layout) {
  std::int64_t most = 1;
  for (int rank = 0; rank < layout.shards_of_rank.ranks(); ++rank) {
    most = std::max(most, layout.shards_of_rank.count(rank));
  }
  return most;
}

// Sums over all points of `width` numbers a point, which add(row, sums) adds to its shard's.
template <class Add>
std::vector<double> point_sums(const Communicator& comm, const PointSet& points, const ShardSum& shard_sum,
                               std::int64_t width, Add add) {
  std::vector<double> partials;
  comm.attempt([&] {
    partials.resize((points.shard_begin.size() - 1) * static_cast<std::size_t>(width));
    for_each_shard(points, omp_get_max_threads(), [&](int, std::int64_t shard, std::int64_t begin, std::int64_t end) {
      double* const sums = partials.data() + shard * width;
      for (auto row = begin; row < end; ++row) add(points.rows.row(row), sums);
    });
  });
  return shard_sum.of(partials, width);
}

// Sums of the products of centred coordinates; the lower triangle.
Eigen::MatrixXd scatter_of(const Communicator& comm, const PointSet& points, const ShardSum& shard_sum,
                           const std::vector<double>& mean) {
  const auto columns = points.rows.columns;
  const auto together =
      std::clamp<std::int64_t>(partials_at_once / (most_shards(*points.layout) * columns), 1, columns);
  Eigen::MatrixXd scatter;
  comm.attempt([&] { scatter = Eigen::MatrixXd::Zero(columns, columns); });
  for (std::int64_t first = 0; first < columns; first += together) {
    const auto count = std::min(together, columns - first);
    const auto sums = point_sums(comm, points, shard_sum, count * columns, [&](const float* row, double* products) {
      for (std::int64_t a = 0; a < count; ++a) {
        const double left = static_cast<double>(row[first + a]) - mean[first + a];
        for (std::int64_t b = 0; b <= first + a; ++b) {
          products[a * columns + b] += left * (static_cast<double>(row[b]) - mean[b]);
        }
      }
    });
    for (std::int64_t a = 0; a < count; ++a) {
      for (std::int64_t b = 0; b <= first + a; ++b) scatter(first + a, b) = sums[a * columns + b];
    }
  }
  return scatter;
}

Eigen::VectorXd with_sign(Eigen::VectorXd axis) {
  Eigen::Index largest = 0;
  for (Eigen::Index e = 1; e < axis.size(); ++e) {
    if (std::abs(axis[e]) > std::abs(axis[largest])) largest = e;
  }
  return axis[largest] < 0 ? -axis : axis;
}

}  // namespace

std::vector<PlanePoint> principal_plane(const Communicator& comm, const PointSet& points) {
  const auto columns = points.rows.columns;
  const auto total = comm.sum(points.rows.rows);
  const ShardSum shard_sum(comm, *points.layout);
  auto mean = point_sums(comm, points, shard_sum, columns, [&](const float* row, double* sums) {
    for (std::int64_t e = 0; e < columns; ++e) sums[e] += static_cast<double>(row[e]);
  });
  for (auto& sum : mean) sum /= static_cast<double>(std::max<std::int64_t>(total, 1));
  const auto scatter = scatter_of(comm, points, shard_sum, mean);

  std::vector<PlanePoint> place;
  comm.attempt([&] {
    // Every rank has the same matrix, so every rank finds the same axes.
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scatter);
    if (solver.info() != Eigen::Success) {
      throw RunError("the principal components of the users' embeddings cannot be found: the eigenvalues of their " +
                     std::to_string(columns) + " x " + std::to_string(columns) + " covariance do not converge");
    }
    std::array<Eigen::VectorXd, 2> axes;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      const auto column = columns - 1 - static_cast<std::int64_t>(axis);
      axes[axis] =
          column < 0 ? Eigen::VectorXd(Eigen::VectorXd::Zero(columns)) : with_sign(solver.eigenvectors().col(column));
    }
    place.resize(points.rows.rows);
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < points.rows.rows; ++row) {
      for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        double along = 0;
        for (std::int64_t e = 0; e < columns; ++e) {
          along += (static_cast<double>(points.rows.row(row)[e]) - mean[e]) * axes[axis][e];
        }
        place[row][axis] = static_cast<float>(along);
      }
    }
  });
  return place;
}

}  // namespace cohort
