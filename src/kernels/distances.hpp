// Distances in float64 from the difference of two rows, and the sums of k-means' groups in fixed point: what the matrix
// product of kernels/scores.hpp is too coarse for. Single-threaded.
#pragma once

#include <cstdint>
#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// |a - b|^2 over `stride` floats (padding is zero), in float64 in one fixed order. 0 only where all elements compare
/// equal.
double squared_distance(const float* a, const float* b, std::int64_t stride);

/// For each row i: sums[group[i]] += round(scale * row), element by element, in int64, so that the sum does not depend
/// on the order of the rows. Returns the sum over the rows of |row - centre[group[i]]|^2, float64, in one fixed order.
/// scale: a power of two so that |scale * element| <= 2^50. centres: groups x columns. sums: groups x stride. group:
/// rows, each in 0..groups-1.
double add_to_groups(ConstMatrixView rows, std::span<const std::int32_t> group, ConstMatrixView centres, double scale,
                     std::span<std::int64_t> sums);

}  // namespace cohort
