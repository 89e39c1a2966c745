// How many segments there are: the number of clusters whose silhouette is farthest above what k-means finds in points
// of the same covariance that have no clusters, if halves of the points find the same clusters and there are gaps
// between them. For segment.count = "auto".
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
  /// How dense a half's points are half-way between neighbouring clusters of the other, as a share of where they are
  /// densest on the way there: each point on the line from its nearest centre to the next, all lines laid upon each
  /// other, in tenths of the way. A single bump, or points spread evenly, have no valley and come near 1: two clusters
  /// are two where their density has a dip between them (Hartigan and Hartigan, "The dip test of unimodality", 1985).
  double valley = 1;
};

/// For clusters to be there at all, their silhouette must be so far above that of the reference,
inline constexpr double least_excess = 0.02;
/// halves may differ (1 - stability) by this share of what halves of the reference do,
inline constexpr double most_instability = 0.4;
/// and points half-way between clusters may be so dense, as a share of where they are densest.
inline constexpr double highest_valley = 0.5;

struct CountChoice {
  std::int64_t count = 1;             ///< 1: there are no clusters
  std::vector<CountCandidate> tried;  ///< by count, ascending; none where there are too few points to try any
  std::int64_t points = 0;            ///< that they were tried on
  std::size_t best = 0;               ///< of those tried, the one of largest excess
  HalvesAgree halves;                 ///< with that number of clusters
  HalvesAgree reference_halves;       ///< the same of the reference

  bool is_stable() const { return 1 - halves.stability <= most_instability * (1 - reference_halves.stability); }
  bool has_gaps() const { return halves.valley <= highest_valley; }
};

/// Points of a cluster that an average one must have, for so many of them to be tried.
inline constexpr std::int64_t points_of_cluster = 4;

/// The most clusters, at most `most`, that are looked for among so many points.
std::int64_t most_clusters(std::int64_t most, std::int64_t points);

/// Tries numbers from `least` to `most` (at most most_clusters), first a fifth apart, then closer around the best, on a
/// sample of about 64 points for each of the most clusters (2,000 to 20,000 in all), drawn by NodeId; ranks share the
/// candidates. Clusters of a number are those of k-means by itself, or, where that has less inertia, of k-means started
/// from twice as many clusters put together (nest_segments). options: all but count and start. Fewer different points
/// than `least`: 1. Throws RunError as kmeans does. The same bits for every number of ranks and threads. Collective.
CountChoice choose_count(const Communicator& comm, const PointSet& points, const KmeansOptions& options,
                         std::int64_t least, std::int64_t most);

}  // namespace cohort
