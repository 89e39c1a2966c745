#include "cluster/quality.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/fixed_sums.hpp"
#include "core/random.hpp"
#include "kernels/distances.hpp"

namespace cohort {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

bool defined(std::span<const std::int64_t> size, std::int64_t points) {
  const auto clusters = std::ranges::count_if(size, [](auto members) { return members > 0; });
  return clusters >= 2 && clusters < points;
}

std::vector<std::int64_t> sizes_of(std::span<const std::int32_t> cluster, std::int64_t count) {
  std::vector<std::int64_t> size(count, 0);
  for (const auto c : cluster) ++size[c];
  return size;
}

// Means of clusters and of all points, float64; row `count` is that of all.
std::vector<double> means_of(const Communicator& comm, const ClusteredPoints& points,
                             std::span<const std::int64_t> size) {
  double largest = 0;
  bool finite = true;
  for (std::int64_t row = 0; row < points.rows.rows; ++row) {
    for (const float element : points.rows.at(row)) {
      finite = finite && std::isfinite(element);
      largest = std::max(largest, std::abs(static_cast<double>(element)));
    }
  }
  if (comm.any(!finite))
    throw RunError("a point whose clustering is measured has a coordinate that is no finite number");
  const auto total = points.blocks.total();
  const auto fixed_point = FixedPoint::for_sum(total, comm.max(largest));
  const auto stride = static_cast<std::size_t>(points.rows.stride);
  std::vector<std::int64_t> sums;
  std::vector<double> means;
  comm.attempt([&] {
    const Matrix origin(points.count, points.rows.columns);  // only the sums are wanted, not the distances
    sums.assign(points.count * stride, 0);
    add_to_groups(points.rows, points.cluster, origin.view(), fixed_point.scale, sums);
  });
  comm.sum_in_place(std::span<std::int64_t>(sums));
  comm.attempt([&] {
    sums.resize(sums.size() + stride, 0);
    const auto all = sums.size() - stride;
    for (std::size_t i = 0; i < all; ++i) sums[all + i % stride] += sums[i];
    means.resize(sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto members = i < all ? size[i / stride] : total;
      means[i] = members == 0 ? 0.0 : fixed_point.real(sums[i]) / static_cast<double>(members);
    }
  });
  return means;
}

double squared_between(const double* a, const double* b, std::int64_t columns) {
  double sum = 0;
  for (std::int64_t e = 0; e < columns; ++e) sum += (a[e] - b[e]) * (a[e] - b[e]);
  return sum;
}

// distance: sums of the distances of a cluster's points to its mean.
double davies_bouldin(std::span<const double> means, std::span<const double> distance,
                      std::span<const std::int64_t> size, std::int64_t columns, std::int64_t stride) {
  double sum = 0;
  std::int64_t clusters = 0;
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (size[i] == 0) continue;
    ++clusters;
    double worst = 0;
    for (std::size_t j = 0; j < size.size(); ++j) {
      if (j == i || size[j] == 0) continue;
      const double apart = std::sqrt(squared_between(means.data() + static_cast<std::int64_t>(i) * stride,
                                                     means.data() + static_cast<std::int64_t>(j) * stride, columns));
      if (apart == 0) continue;
      const double within = distance[i] / static_cast<double>(size[i]) + distance[j] / static_cast<double>(size[j]);
      worst = std::max(worst, within / apart);
    }
    sum += worst;
  }
  return sum / static_cast<double>(clusters);
}

struct Sample {
  Matrix rows;
  std::vector<std::int32_t> cluster;
};

// The same points in the same order on every rank: their numbers are, and blocks are in the order of the numbers.
Sample sample_of(const Communicator& comm, const ClusteredPoints& points, std::uint64_t seed) {
  const auto total = points.blocks.total();
  const auto first = points.blocks.begin(comm.rank());
  std::vector<float> rows;
  std::vector<std::int32_t> cluster;
  comm.attempt([&] {
    std::vector<std::int64_t> wanted;
    if (total <= silhouette_exact) {
      for (std::int64_t i = 0; i < points.rows.rows; ++i) wanted.push_back(i);
    } else {
      const RandomPermutation shuffled(static_cast<std::uint64_t>(total), seed, Purpose::quality_sample, 0);
      for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(silhouette_exact); ++i) {
        const auto row = static_cast<std::int64_t>(shuffled(i)) - first;
        if (row >= 0 && row < points.rows.rows) wanted.push_back(row);
      }
      std::ranges::sort(wanted);
    }
    for (const auto row : wanted) {
      rows.insert(rows.end(), points.rows.row(row), points.rows.row(row) + points.rows.stride);
      cluster.push_back(points.cluster[row]);
    }
  });
  const auto all_rows = comm.all_gather(std::span<const float>(rows));
  auto all_clusters = comm.all_gather(std::span<const std::int32_t>(cluster));
  Sample sample;
  comm.attempt([&] {
    sample.rows = Matrix(std::ssize(all_clusters.data), points.rows.columns);
    if (!all_rows.data.empty()) std::ranges::copy(all_rows.data, sample.rows.row(0));
    sample.cluster = std::move(all_clusters.data);
  });
  return sample;
}

// (b - a) / max(a, b) of one point. sums: room, one for each cluster.
double silhouette_of(const Sample& sample, std::int64_t point, std::span<const std::int64_t> size,
                     std::span<double> sums) {
  const auto own = static_cast<std::size_t>(sample.cluster[point]);
  if (size[own] == 1) return 0;
  std::ranges::fill(sums, 0.0);
  const float* const row = sample.rows.row(point);
  for (std::int64_t other = 0; other < sample.rows.rows(); ++other) {
    sums[sample.cluster[other]] += std::sqrt(squared_distance(row, sample.rows.row(other), sample.rows.stride()));
  }
  const double a = sums[own] / static_cast<double>(size[own] - 1);
  double b = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < size.size(); ++c) {
    if (c != own && size[c] > 0) b = std::min(b, sums[c] / static_cast<double>(size[c]));
  }
  const double larger = std::max(a, b);
  return larger == 0 ? 0.0 : (b - a) / larger;
}

double silhouette(const Communicator& comm, const Sample& sample, std::int64_t count) {
  const auto points = sample.rows.rows();
  const auto size = sizes_of(sample.cluster, count);
  if (!defined(size, points)) return undefined;
  const auto mine = Distribution::even(points, comm.size());
  const auto first = mine.begin(comm.rank());
  std::vector<double> value;
  std::vector<std::vector<double>> sums;
  comm.attempt([&] {
    value.resize(mine.count(comm.rank()));
    sums.assign(omp_get_max_threads(), std::vector<double>(size.size()));
#pragma omp parallel for schedule(dynamic, 16)
    for (std::size_t i = 0; i < value.size(); ++i) {
      value[i] = silhouette_of(sample, first + static_cast<std::int64_t>(i), size, sums[omp_get_thread_num()]);
    }
  });
  const std::vector<std::int32_t> together(value.size(), 0);
  return grouped_sums(comm, value, together, 1).front() / static_cast<double>(points);
}

}  // namespace

std::int64_t cluster_quality_bytes(std::int64_t points, std::int64_t total, std::int64_t columns) {
  // Distances and their squares; the sample as this rank's part, as it came and as a matrix.
  const auto row = padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
  return 16 * points + 3 * std::min(total, silhouette_exact) * row;
}

ClusterQuality cluster_quality(const Communicator& comm, const ClusteredPoints& points, std::uint64_t seed) {
  comm.attempt([&] {
    COHORT_CHECK(points.rows.rows == points.blocks.count(comm.rank()));
    COHORT_CHECK(std::ssize(points.cluster) == points.rows.rows);
    COHORT_CHECK(std::ranges::all_of(points.cluster, [&](auto c) { return c >= 0 && c < points.count; }));
  });
  auto size = sizes_of(points.cluster, points.count);
  comm.sum_in_place(std::span<std::int64_t>(size));
  const auto means = means_of(comm, points, size);

  ClusterQuality quality{undefined, 0, undefined, undefined};
  if (defined(size, points.blocks.total())) {
    const auto columns = points.rows.columns;
    const auto stride = points.rows.stride;
    std::vector<double> distance;
    std::vector<double> square;
    comm.attempt([&] {
      for (std::int64_t row = 0; row < points.rows.rows; ++row) {
        const double* const mean = means.data() + points.cluster[row] * stride;
        double sum = 0;
        for (std::int64_t e = 0; e < columns; ++e) {
          const double difference = static_cast<double>(points.rows.row(row)[e]) - mean[e];
          sum += difference * difference;
        }
        square.push_back(sum);
        distance.push_back(std::sqrt(sum));
      }
    });
    const auto distances = grouped_sums(comm, distance, points.cluster, points.count);
    const std::vector<std::int32_t> together(square.size(), 0);
    const double within = grouped_sums(comm, square, together, 1).front();
    quality.davies_bouldin = davies_bouldin(means, distances, size, columns, stride);
    double between = 0;
    std::int64_t clusters = 0;
    for (std::size_t c = 0; c < size.size(); ++c) {
      if (size[c] == 0) continue;
      ++clusters;
      between += static_cast<double>(size[c]) * squared_between(means.data() + static_cast<std::int64_t>(c) * stride,
                                                                means.data() + points.count * stride, columns);
    }
    quality.calinski_harabasz =
        between / static_cast<double>(clusters - 1) / (within / static_cast<double>(points.blocks.total() - clusters));
  }
  const auto sample = sample_of(comm, points, seed);
  quality.silhouette_points = sample.rows.rows();
  quality.silhouette = silhouette(comm, sample, points.count);
  return quality;
}

}  // namespace cohort
