// How good a clustering is without true classes: silhouette, Davies-Bouldin, Calinski-Harabasz over the embedding, and
// modularity over a graph. For `evaluate`. The same bits for every number of ranks and threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// This rank's contiguous block of all points, in an order that does not depend on the ranks.
struct ClusteredPoints {
  ConstMatrixView rows;
  std::span<const std::int32_t> cluster;  ///< 0..count-1
  Distribution blocks;                    ///< of the points, by rank
  std::int64_t count = 0;                 ///< of clusters, some of which may be empty
};

struct ClusterQuality {
  /// Mean over points of (b - a) / max(a, b) (Rousseeuw 1987); a point alone in its cluster counts 0. Over all points
  /// where there are at most silhouette_exact, else over a seeded sample of that many, against that sample.
  double silhouette = 0;
  std::int64_t silhouette_points = 0;
  /// Davies and Bouldin 1979, definition 5, with mean distances to the centroid (q = 1, p = 2), as in scikit-learn; two
  /// clusters whose centroids coincide are passed over.
  double davies_bouldin = 0;
  /// Calinski and Harabasz 1974: between / within dispersion, by their degrees of freedom. Infinity where all points
  /// lie on their centroids.
  double calinski_harabasz = 0;
};

inline constexpr std::int64_t silhouette_exact = 10'000;

/// Measures that are not defined (fewer than two clusters that are not empty, or as many as points; for the silhouette,
/// in the sample) are NaN. Throws RunError where a coordinate is no finite number. Collective.
ClusterQuality cluster_quality(const Communicator& comm, const ClusteredPoints& points, std::uint64_t seed);

/// What cluster_quality() keeps at its peak on a rank of so many points, of `total`. For predictions; local.
std::int64_t cluster_quality_bytes(std::int64_t points, std::int64_t total, std::int64_t columns);

/// Newman and Girvan 2004: the share of edge weight inside clusters minus what degrees alone would give. row_begin,
/// column, weight: this rank's rows of a symmetric graph, columns being numbers of all nodes; cluster: of this rank's
/// block of nodes, -1: in no cluster, which counts as one of its own. NaN where there is no edge. Collective.
double modularity(const Communicator& comm, std::span<const std::int64_t> row_begin,
                  std::span<const std::int64_t> column, std::span<const float> weight,
                  std::span<const std::int32_t> cluster, const Distribution& blocks);

}  // namespace cohort
