// Counts of one or two bytes, which are many and mostly small: where the large ones are. Single-threaded.
#pragma once

#include <cstdint>
#include <span>

namespace cohort {

/// Writes, ascending, the j of all counts[j] that are not below `least`, and returns how many they are. at: room for
/// one more than counts.size().
std::int64_t not_below(std::span<const std::uint8_t> counts, std::uint8_t least, std::span<std::int32_t> at);
std::int64_t not_below(std::span<const std::uint16_t> counts, std::uint16_t least, std::span<std::int32_t> at);

}  // namespace cohort
