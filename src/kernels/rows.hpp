// Row kernels of the BPR loss (Rendle et al. 2009, eq. for BPR-Opt) and of Adam (Kingma and Ba 2015, algorithm 1).
// Single-threaded.
#pragma once

#include <cstdint>
#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// <a, b> over `stride` floats (padding is zero), accumulated in float64 in one fixed order.
double row_dot(const float* a, const float* b, std::int64_t stride);

/// out += factor * x, product and sum rounded separately, so that a product made elsewhere adds to the same bits.
void add_scaled(float factor, const float* x, float* out, std::int64_t stride);
/// out = factor * x.
void scale_into(float factor, const float* x, float* out, std::int64_t stride);
/// out(i) = factor[i] * in(i), rows of one stride; they may be the same rows.
void scale_rows(std::span<const float> factor, ConstMatrixView in, MatrixView out);
/// out += x.
void add_row(const float* x, float* out, std::int64_t stride);
/// out += factor * (x - y): difference, product and sum rounded separately.
void add_scaled_difference(float factor, const float* x, const float* y, float* out, std::int64_t stride);

/// Adam's constants of one step, bias corrections included.
struct AdamStep {
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float step_size = 0;     ///< learning_rate / (1 - beta1^t)
  float inverse_root = 0;  ///< 1 / sqrt(1 - beta2^t)
  float epsilon = 1e-8F;
  float first_share = 0.1F;     ///< 1 - beta1, rounded from float64
  float second_share = 0.001F;  ///< 1 - beta2
};
/// step counts from 1.
AdamStep adam_step(double learning_rate, std::int64_t step);

/// One update of `count` floats: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g g;
/// w -= step_size * m / (sqrt(v) * inverse_root + epsilon). Element by element, as PyTorch's Adam; each product and sum
/// rounded by itself.
void adam_update(const AdamStep& step, const float* gradient, float* weight, float* first_moment, float* second_moment,
                 std::int64_t count);

}  // namespace cohort
