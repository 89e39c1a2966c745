#include "items/items_memory.hpp"

#include <algorithm>

#include "core/matrix.hpp"

namespace cohort {

std::int64_t top_items_bytes(std::int64_t users, std::int64_t all_items, std::int64_t columns, std::int64_t k,
                             const TopItemsRoom& room) {
  constexpr std::int64_t list_header = 16;  // the allocator's
  const auto heap =
      std::min(k, all_items) * static_cast<std::int64_t>(sizeof(ScoredItem)) + std::int64_t{sizeof(TopK)} + list_header;
  const auto row = padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
  // Of an item beside its rows: its number, the square of its length, the group's prior.
  constexpr std::int64_t beside = 20;
  const auto piece = std::min(all_items * row, room.piece);
  return std::min(users * heap, room.heaps) + 2 * piece + beside * (piece / std::max<std::int64_t>(row, 1)) + 8 * users;
}

std::int64_t item_counts_bytes(const CountedItems& counted) {
  return 8 * counted.pairs + 8 * counted.items;
}

std::int64_t counting_bytes(const CountedItems& counted) {
  // Users by segment and the place of every interaction's item; then the counts in the order that they were made in, by
  // rank, and where they stood; what came, by segment, beside the result.
  const auto making = 16 * counted.users + 4 * counted.interactions + 16 * counted.pairs;
  const auto sending = 44 * counted.pairs;
  const auto placing = 24 * counted.pairs + item_counts_bytes(counted);
  return std::max({making, sending, placing});
}

}  // namespace cohort
