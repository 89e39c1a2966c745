// Sums by group, over all ranks, in fixed point: of numbers, and of rows.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/fixed_point.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// Of each group, the sum over all ranks of the finite numbers that belong to it. group: of each number, 0..groups-1,
/// groups being the same on all ranks. Exact to 2^-50 of the largest number or 2^-62 of the count times it, and the
/// same bits whoever holds which. Collective.
inline std::vector<double> grouped_sums(const Communicator& comm, std::span<const double> numbers,
                                        std::span<const std::int32_t> group, std::int64_t groups) {
  double largest = 0;
  for (const double number : numbers) largest = std::max(largest, std::abs(number));
  const auto count = comm.sum(static_cast<std::int64_t>(numbers.size()));
  const auto fixed_point = FixedPoint::for_sum(count, comm.max(largest));
  std::vector<std::int64_t> sums(groups, 0);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    sums[group[i]] += fixed_point.fixed(numbers[i]);
  }
  comm.sum_in_place(std::span<std::int64_t>(sums));
  std::vector<double> result;
  result.reserve(sums.size());
  for (const auto sum : sums) result.push_back(fixed_point.real(sum));
  return result;
}

/// What groups are made of: rows, or groups of them, by their sum and number. The same on all ranks.
struct GroupedSums {
  std::int64_t columns = 0;
  std::vector<double> sum;    ///< groups x columns
  std::vector<double> count;  ///< rows of each
};

/// The same of rows. group: of each row; -1: none. total, largest: rows and magnitude of a coordinate, of all ranks.
/// Collective.
GroupedSums grouped_rows(const Communicator& comm, ConstMatrixView rows, std::span<const std::int32_t> group,
                         std::int64_t groups, std::int64_t total, double largest);

}  // namespace cohort
