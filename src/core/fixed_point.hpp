// Sums of real numbers as sums of whole ones: exact, so the same in any order and for any number of ranks and threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace cohort {

/// A power of two by which numbers are multiplied and then rounded.
struct FixedPoint {
  double scale = 1;

  /// For a sum of at most `count` numbers of magnitude at most `largest`, both global: 2^(62 - log2 count - log2
  /// largest), logarithms rounded up, so that the sum stays within int64; and no number above 2^50, as
  /// kernels/distances.hpp wants it. A float32 number is exact down to 2^-26 of the largest of a million.
  static FixedPoint for_sum(std::int64_t count, double largest) {
    if (largest == 0) return {};
    const auto count_exponent =
        static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(count - 1, 0))));
    int largest_exponent = 0;
    if (std::frexp(largest, &largest_exponent) == 0.5) --largest_exponent;
    return {std::ldexp(1.0, std::min(62 - count_exponent, 50) - largest_exponent)};
  }

  /// Multiples of 2^-bits.
  static FixedPoint with_bits(int bits) { return {std::ldexp(1.0, bits)}; }
  /// For a sum of at most `count` numbers, all ranks together, of magnitude below 2^exponent.
  static FixedPoint for_count(std::int64_t count, int exponent = 0) {
    return with_bits(62 - exponent - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count))));
  }

  std::int64_t fixed(double number) const { return std::llrint(number * scale); }
  double real(std::int64_t sum) const { return static_cast<double>(sum) / scale; }
};

}  // namespace cohort
