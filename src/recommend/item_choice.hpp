// Which items may be recommended: those that enough training users have and, where a file lists ids, that are listed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "items/item_counts.hpp"

namespace cohort {

/// Of this rank's block of items.
struct ItemChoice {
  bool all = true;                    ///< every item of every rank; the same on all
  std::vector<std::int32_t> rows;     ///< of the block, ascending
  Distribution blocks;                ///< of the chosen items by rank
  std::vector<std::int64_t> numbers;  ///< of the chosen items; empty where all are
  Matrix embedding;                   ///< their rows; empty where all are

  /// The chosen rows of `items`, this rank's block.
  ConstMatrixView embeddings(ConstMatrixView items) const { return all ? items : embedding.view(); }
};

/// items: embeddings of the block, of no columns where only the choice matters. allowed: of each item of the block;
/// empty on all ranks: every item. Throws InputError where nothing is left. Collective.
ItemChoice choose_items(const Communicator& comm, const ItemCounts& counts, ConstMatrixView items,
                        std::int64_t min_support, std::span<const char> allowed);

}  // namespace cohort
