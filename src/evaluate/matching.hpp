// The matching of two clusterings' segments that has most users in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cohort {

/// Users that are in segment `from` of one clustering and in `to` of another.
struct SegmentFlow {
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::int64_t users = 0;
};

/// For each of the `count` segments `from` the segment `to` that it is matched with, or -1; no two with the same, and
/// the sum of users over the matched pairs is the largest possible. Exact, by shortest augmenting paths with potentials
/// (Kuhn 1955, Munkres 1957; as a sequence of shortest-path searches: Jonker and Volgenant, Computing 38, 1987) over
/// the flows that there are: O(count * flows * log) at worst, so that few flows make it fast whatever the count. flows:
/// by (from, to) ascending, users > 0. Which of several best matchings it is depends on the flows alone. Local.
std::vector<std::int32_t> best_matching(std::int32_t count, std::span<const SegmentFlow> flows);

}  // namespace cohort
