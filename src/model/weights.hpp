// Matrices that all ranks learn together. For encoders and objectives with weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/matrix.hpp"

namespace cohort {

/// The same bits on all ranks.
struct Weight {
  std::string name;
  Matrix value;
};

/// Uniform numbers of Glorot and Bengio 2010, eq. 16, keyed by (seed, number, place); `number` tells weights apart.
Weight glorot_weight(std::string name, std::int64_t rows, std::int64_t columns, std::uint64_t seed,
                     std::uint32_t number);

/// The columns of rows as rows: what products with a transpose are packed from. May throw bad_alloc. Local.
Matrix transposed(ConstMatrixView rows);

/// Rounds sums (rows x columns, row-major) to float32.
void round_into(std::span<const double> sums, MatrixView out);

}  // namespace cohort
