// Centres made ready for the matrix product that assigns points to them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/scores.hpp"

namespace cohort {

/// The score of a centre c for a point x is |x - c|^2 - |x - m|^2, m the mean of the centres, as float32 computes it:
/// from the inner product of x and c - m. Centres around m, not around the origin, lose the fewest bits where all
/// points lie on one side of it.
class ScoredCentres {
 public:
  explicit ScoredCentres(ConstMatrixView centres);

  /// The centre of least score of each point, ties to the smaller number. Local, one thread.
  void nearest(ConstMatrixView points, std::span<std::int32_t> nearest) const {
    nearest_rows(points, packed_, offset_, nearest);
  }
  /// The scores are offset[j] - 2 <x, packed row j>.
  const PackedRows& packed() const { return packed_; }
  std::span<const float> offset() const { return offset_; }
  /// How far a score, of a point of this length |x|, can be from what the float64 distances give.
  double error(double length) const;

 private:
  PackedRows packed_;
  std::vector<float> offset_;
  double columns_ = 0;
  double mean_length_ = 0;  ///< |m|
  double radius_ = 0;       ///< greatest |c - m|
  double largest_offset_ = 0;
};

}  // namespace cohort
