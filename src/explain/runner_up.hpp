// The segment that a user would be in, were it not in its own. Internal to explanations. Local.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"

namespace cohort {

/// Distances are squared Euclidean, or 1 - cosine if spherical; float64.
struct RunnerUpOf {
  std::int32_t segment = 0;
  double own_distance = 0;
  double distance = 0;
  double length = 1;  ///< of the embedding
};

/// The nearest centroid but `own`, ties to the smaller. centroids.rows >= 2.
RunnerUpOf runner_up_of(std::span<const float> embedding, ConstMatrixView centroids, std::int32_t own, bool spherical);

/// What the embedding is multiplied with to give the difference but for its constant (and but for 1 / length if
/// spherical): 2 (c - c') or c - c'.
std::vector<double> direction_between(ConstMatrixView centroids, std::int32_t own, std::int32_t other, bool spherical);

/// |c'|^2 - |c|^2; 0 if spherical.
double constant_between(ConstMatrixView centroids, std::int32_t own, std::int32_t other, bool spherical);

/// In the order of columns.
double inner_product(std::span<const float> row, std::span<const double> direction);

}  // namespace cohort
