// Lloyd's iterations (Lloyd 1982): every point to the nearest centre, every centre to the mean of its points.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/checked_points.hpp"
#include "comm/shard_sum.hpp"
#include "core/fixed_point.hpp"

namespace cohort {

/// One iteration at a time, and the room that it needs.
class LloydPass {
 public:
  /// comm and population must outlive it. Collective.
  LloydPass(const Communicator& comm, const CheckedPoints& population, std::int64_t count, bool spherical);

  struct Outcome {
    double inertia = 0;        ///< sum of squared distances to the centres assigned to
    std::int64_t changed = 0;  ///< points assigned to another centre than the time before
    std::int64_t empty = 0;    ///< centres without a point
  };
  /// Assigns every point; sums up what moving the centres takes. centres: k x d, the same on all ranks. Collective.
  Outcome assign(ConstMatrixView centres);
  /// Every centre that has points to their mean, scaled to length 1 if spherical. Local.
  void move(MatrixView centres) const;

  /// Of this rank's points, as last assigned.
  std::span<const std::int32_t> nearest() const { return nearest_; }
  /// Points of a centre, of all ranks.
  std::int64_t size(std::int64_t centre) const { return sums_.front()[sums_end_ + centre]; }

 private:
  void assign_shard(std::int64_t begin, std::int64_t end, const class ScoredCentres& scored, ConstMatrixView centres,
                    std::span<std::int64_t> sums, double& inertia);

  const Communicator& comm_;
  const CheckedPoints& population_;
  ShardSum inertia_;
  std::int64_t count_;
  bool spherical_;
  int threads_;
  std::int64_t sums_end_;  ///< k x stride
  FixedPoint fixed_point_;
  std::vector<std::int32_t> nearest_;
  std::vector<double> partial_;  ///< inertia of each shard
  /// By thread: sums of the points of each centre (k x stride), points of each centre (k), changed points. The first
  /// one ends as the sum over all threads and ranks.
  std::vector<std::vector<std::int64_t>> sums_;
};

struct LloydRun {
  Matrix centres;               ///< those that the last iteration assigned to
  std::vector<double> inertia;  ///< of each iteration
  std::int64_t reseeded = 0;    ///< empty centres that were moved to the farthest points
};

/// Iterates from `centres` until no point changes its centre, inertia falls by less than the tolerance, or
/// max_iterations; centres without points go to the farthest points. Collective.
LloydRun run_lloyd(const Communicator& comm, const CheckedPoints& population, const KmeansOptions& options,
                   Matrix centres);

}  // namespace cohort
