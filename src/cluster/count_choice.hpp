// How many segments there are: the number of clusters whose silhouette is farthest above what k-means finds in points
// of the same covariance that have no clusters, if halves of the points find the same clusters. For
// segment.count = "auto".
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

/// What two halves of the points find of each other's clusters, mean over four ways to halve them.
struct HalvesAgree {
  /// How far their clusters agree on all points: adjusted Rand index. Ben-Hur, Elisseeff and Guyon 2002.
  double stability = 0;
  /// The share of a half's points that lie between clusters of the other: within a twentieth of the way between the two
  /// nearest centres from its middle.
  double between = 0;
};

/// For clusters to be there at all, their silhouette must be so far above that of the reference,
inline constexpr double least_excess = 0.02;
/// halves may differ (1 - stability) by this share of what halves of the reference do,
inline constexpr double most_instability = 0.6;
/// and so many points may lie between clusters, as a share of those of the reference.
inline constexpr double most_between = 0.7;

struct CountChoice {
  std::int64_t count = 1;             ///< 1: there are no clusters
  std::vector<CountCandidate> tried;  ///< by count, ascending; none where there are too few points to try any
  std::int64_t points = 0;            ///< that they were tried on
  std::size_t best = 0;               ///< of those tried, the one of largest excess
  HalvesAgree halves;                 ///< with that number of clusters
  HalvesAgree reference_halves;       ///< the same of the reference

  bool is_stable() const { return 1 - halves.stability <= most_instability * (1 - reference_halves.stability); }
  bool is_apart() const { return halves.between <= most_between * reference_halves.between; }
};

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
