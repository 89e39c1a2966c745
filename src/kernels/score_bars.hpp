// What bounds of scores are made of and compared with (items/score_bounds.hpp). Single-threaded.
#pragma once

#include <cstdint>
#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// Writes, ascending, the j of all scores[j] that are not below `least` (those that are no numbers too), and returns
/// how many they are. at: room for scores.size() rounded up to 16.
std::int64_t not_below(std::span<const float> scores, float least, std::span<std::int32_t> at);

/// left[j] = sqrt(max(0, square[j] (1 + slack) - sum over r of coordinates[r][j]^2)): how long a row of squared length
/// square[j] still is beside its coordinates on some axes. left: at most coordinates.stride.
void lengths_left(ConstMatrixView coordinates, std::span<const float> square, float slack, std::span<float> left);

}  // namespace cohort
