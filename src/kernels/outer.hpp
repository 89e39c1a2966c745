// Sums over rows of products of their elements: the gradients of weights. Single-threaded.
#pragma once

#include <span>

#include "core/matrix.hpp"

namespace cohort {

/// sums (left.columns x right.columns, row-major) += left' right: products of 64 rows at a time, the rows ascending, in
/// float32 by fused multiply-add, each block's then added in float64. left.rows == right.rows. The bits depend on the
/// rows alone.
void add_outer_products(ConstMatrixView left, ConstMatrixView right, std::span<double> sums);

}  // namespace cohort
