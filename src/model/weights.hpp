// Matrices that all ranks learn together, and the sums over rows that their gradients are. For encoders with weights,
// and for objectives that sum products of rows.
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

/// Sums of left' right over rows, a block of rows at a time in float32, added up in float64. For one thread.
class OuterProducts {
 public:
  /// partial (left.columns x right.columns, row-major) += left' right, rows ascending. left.rows == right.rows.
  void add(ConstMatrixView left, ConstMatrixView right, std::span<double> partial);

 private:
  Matrix left_;     ///< a block of rows, transposed
  Matrix right_;    ///< the same
  Matrix product_;  ///< left.columns x right.columns
};

/// The columns of rows as rows: what products with a transpose are packed from. May throw bad_alloc. Local.
Matrix transposed(ConstMatrixView rows);

/// Rounds sums (rows x columns, row-major) to float32.
void round_into(std::span<const double> sums, MatrixView out);

}  // namespace cohort
