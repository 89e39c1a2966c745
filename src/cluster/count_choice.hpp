// How many segments there are: the number of clusters whose silhouette is farthest above what k-means finds in points
// of the same covariance that have no clusters. For segment.count = "auto".
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/kmeans.hpp"

namespace cohort {

/// One number of clusters that was tried.
struct CountCandidate {
  std::int64_t count = 0;
  double silhouette = 0;  ///< of the points (cluster/quality.hpp)
  double reference = 0;   ///< of as many points drawn from the normal distribution of their mean and covariance

  double excess() const { return silhouette - reference; }
};

struct CountChoice {
  std::int64_t count = 1;             ///< 1: there are no clusters
  std::vector<CountCandidate> tried;  ///< by count, ascending; none where there are too few points to try any
  std::int64_t points = 0;            ///< that they were tried on
};

/// By how much a silhouette must exceed its reference for clusters to be there at all.
inline constexpr double least_excess = 0.1;
/// Points of a cluster that an average one must have, for so many of them to be tried.
inline constexpr std::int64_t points_of_cluster = 4;

/// The most clusters, at most `most`, that are looked for among so many points.
std::int64_t most_clusters(std::int64_t most, std::int64_t points);

/// Tries numbers from `least` to `most` (at most most_clusters), first a fifth apart, then closer around the best, on a
/// sample of about 64 points for each of the most clusters (2,000 to 20,000 in all), drawn by NodeId; ranks share the
/// candidates. options: all but count and start. Fewer different points than `least`: 1. Throws RunError as kmeans
/// does. The same bits for every number of ranks and threads. Collective.
CountChoice choose_count(const Communicator& comm, const PointSet& points, const KmeansOptions& options,
                         std::int64_t least, std::int64_t most);

}  // namespace cohort
