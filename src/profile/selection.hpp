// The k-th smallest of numbers that are spread over the ranks, in every segment at once: exact, without gathering or
// sorting them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

/// segment: of each of this rank's values, -1: it does not count. rank: for each segment, which of its values in
/// ascending order, from 0; -1: none is wanted. The same on all ranks, and below the number of the segment's values
/// over all ranks. Returns the value for each segment, NaN where none is wanted. values must not be NaN. Collective.
std::vector<double> select_by_segment(const Communicator& comm, std::span<const double> values,
                                      std::span<const std::int32_t> segment, std::span<const std::int64_t> rank);

/// The median of each segment, the mean of the middle two where the number is even; NaN where a segment has no value.
/// Collective.
std::vector<double> median_by_segment(const Communicator& comm, std::span<const double> values,
                                      std::span<const std::int32_t> segment, std::int64_t segments);

/// Values of each segment over all ranks. Collective.
std::vector<std::int64_t> count_by_segment(const Communicator& comm, std::span<const std::int32_t> segment,
                                           std::int64_t segments);

}  // namespace cohort
