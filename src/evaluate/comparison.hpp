// Two segmentations of about the same users: how far they agree, which segment became which, who moved where. For
// `compare`: results of two dates, two seeds, two subsamples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/agreement.hpp"
#include "comm/communicator.hpp"
#include "evaluate/matching.hpp"
#include "result/segments.hpp"

namespace cohort {

/// "Common" users are in both results, by their original ids. The same on all ranks.
struct Comparison {
  Agreement agreement;     ///< of the common users' segments; purity is that of the first result's segments
  std::int64_t gone = 0;   ///< users of the first result that the second does not have
  std::int64_t added = 0;  ///< users of the second that the first does not have
  std::vector<std::int64_t> gone_from;  ///< gone users by segment of the first
  std::vector<std::int64_t> added_to;   ///< added users by segment of the second
  std::vector<SegmentFlow> flows;       ///< common users by both segments, by (from, to), without zeros
  std::vector<std::int32_t> match;      ///< of each segment of the first: its match in the second, or -1
  std::int64_t stayed = 0;  ///< common users whose segment in the second is the match of theirs in the first

  std::int64_t common() const { return agreement.items; }
};

/// The segment in `result` of each of `users` (this rank's block), by their ids; -1: it does not have the user.
/// Collective.
std::vector<std::int32_t> segments_by_id(const Communicator& comm, const UserSegments& result, const IdTable& users);

/// How many are in which two segments, by (from, to) ascending, without zeros; whose `from` or `to` is below 0 are not
/// counted. The same on all ranks. Collective.
std::vector<SegmentFlow> count_flows(const Communicator& comm, std::span<const std::int32_t> from,
                                     std::span<const std::int32_t> to);

/// Counts are exact, so the bits do not depend on the ranks. Flows and matching stand on every rank. Collective.
Comparison compare_segments(const Communicator& comm, const UserSegments& first, const UserSegments& second);

}  // namespace cohort
