// Where k-means starts: candidates by k-means|| over all points, then centres by weighted k-means++ among them.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/checked_points.hpp"

namespace cohort {

/// Points that stand for all: the weight of one is the number of points that are nearer to it than to the others.
struct Candidates {
  Matrix rows;
  std::vector<double> weight;
};

/// k-means|| (Bahmani et al. 2012, algorithm 2, steps 1 to 7): a point at random, then 5 rounds, in each of which a
/// point x becomes a candidate with probability 2k d^2(x) / sum d^2. A draw is keyed by (seed, round, NodeId). Where
/// there are no more points than that would take, all of them. The same on every rank. population.total >= 1.
/// Collective.
Candidates find_candidates(const Communicator& comm, const CheckedPoints& population, std::int64_t count,
                           std::uint64_t seed);

/// Chooses starting centres among candidates, for several restarts. Everything here is local and the same on each rank.
class StartingCentres {
 public:
  /// candidates: at least one; must outlive this.
  StartingCentres(const Candidates& candidates, std::int64_t count, bool spherical, std::uint64_t seed);

  /// Weighted k-means++ (Arthur and Vassilvitskii 2007), of 2 + log k draws the one that lowers the potential most, as
  /// scikit-learn does; then at most 10 weighted Lloyd iterations over the candidates. Returns k x d. Where there are
  /// fewer different candidates than centres, the last centres repeat the first. beside: centres that are there
  /// already, fewer than count: they come first and, like those drawn, stay where they are.
  Matrix choose(std::int64_t restart, ConstMatrixView beside = {}) const;

 private:
  std::vector<std::int64_t> draw(std::int64_t restart, ConstMatrixView beside) const;
  void refine(Matrix& centres) const;

  const Candidates& candidates_;
  std::int64_t count_;
  bool spherical_;
  std::uint64_t seed_;
  Matrix around_;             ///< candidates minus their mean
  std::vector<double> norm_;  ///< |row of around_|^2
};

/// centre = mean, scaled to length 1 if `unit`; a mean of length 0 then leaves the centre as it was.
void set_centre(std::span<const double> mean, bool unit, std::span<float> centre);

}  // namespace cohort
