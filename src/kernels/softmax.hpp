// The softmax of rows of scores, for losses over a pool of candidates. Single-threaded.
#pragma once

#include <cstdint>
#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// In each row, over its columns: out[j] = exp(s_j / temperature) / sum over k of exp(s_k / temperature), in place; the
/// padding becomes zero. log_sum[i] = log of that sum. The largest score is taken off first, so no finite scores
/// overflow. columns >= 1, temperature > 0. A row's bits depend on the row alone.
void softmax_rows(MatrixView scores, double temperature, std::span<double> log_sum);

}  // namespace cohort
