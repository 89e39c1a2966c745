// How many users, or items, each planted segment has. Internal to generate/.
#pragma once

#include <cstdint>
#include <vector>

namespace cohort {

/// Largest to smallest segment.
inline constexpr double size_ratio = 5.0;

/// `total` in sizes that fall geometrically from the first segment to the last, size_ratio to 1, rounded by largest
/// remainders, none below 1. Returns the segments + 1 offsets. 1 <= segments <= total. Local.
std::vector<std::int64_t> segment_offsets(std::int64_t total, std::int64_t segments);

/// The segment of place `place`. Local.
std::int64_t segment_at(const std::vector<std::int64_t>& offsets, std::int64_t place);

}  // namespace cohort
