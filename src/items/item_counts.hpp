// How many training users each item has, in all and in each segment: what popularity, profiles of taste and priors are
// made of. Whole numbers, so exact in any order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// Of this rank's block of items; what concerns segments is sparse.
struct ItemCounts {
  Distribution blocks;                      ///< of the items, by rank
  std::vector<std::int64_t> users;          ///< of each item of the block: training users that have it
  std::vector<std::int64_t> begin{0};       ///< segments + 1: offsets into the two below
  std::vector<std::int32_t> row;            ///< items of the block that a user of the segment has, ascending
  std::vector<std::int32_t> segment_users;  ///< beside row: how many users of the segment have it, at least 1
  std::vector<std::int64_t> in_segment;     ///< interactions of each segment's users, over all ranks; the same on all
  std::int64_t interactions = 0;            ///< over all ranks; the same on all

  std::int32_t segments() const { return static_cast<std::int32_t>(in_segment.size()); }
};

/// interactions: a row for each of this rank's users, no repeats within one. segment: of each row, below `segments`.
/// Memory: a number for each item of all ranks, for a moment. Collective.
ItemCounts count_items(const Communicator& comm, const PairTable& interactions, std::span<const std::int32_t> segment,
                       std::int32_t segments, const Distribution& items);

/// An interaction of a user of `segment`.
struct SegmentItem {
  std::int64_t item;
  std::int32_t segment;
};

/// What the owners of the items know of each of this rank's `pairs`, in their order. Collective.
struct PairCount {
  std::int64_t users;          ///< of the item
  std::int32_t segment_users;  ///< of the item, in the segment
};
std::vector<PairCount> look_up(const Communicator& comm, const ItemCounts& counts, std::span<const SegmentItem> pairs);

}  // namespace cohort
