// What counting and ranking items keep in memory, known beforehand. For predictions; local.
#pragma once

#include <cstdint>

#include "items/top_items.hpp"

namespace cohort {

/// What top_items() keeps beside the query on a rank that it finds the best k of all_items items for: the heaps of a
/// batch of `users` users, a piece of the items, of so many columns, as it came and packed.
std::int64_t top_items_bytes(std::int64_t users, std::int64_t all_items, std::int64_t columns, std::int64_t k,
                             const TopItemsRoom& room = {});

/// What a rank counts: its interactions, and at most how many different pairs of a segment and an item are among them.
struct CountedItems {
  std::int64_t users = 0;
  std::int64_t items = 0;  ///< of its block
  std::int64_t interactions = 0;
  std::int64_t pairs = 0;
};

/// ItemCounts of a rank.
std::int64_t item_counts_bytes(const CountedItems& counted);

/// What count_items() keeps at its peak, its result included.
std::int64_t counting_bytes(const CountedItems& counted);

}  // namespace cohort
