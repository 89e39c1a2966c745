// What a result takes in memory as it is read from its file. For predictions; local.
#pragma once

#include <cstdint>

namespace cohort {

/// Of a rank's block.
struct ResultSizes {
  std::int64_t users = 0;
  std::int64_t items = 0;     ///< whether they are nodes of the graph or not
  std::int64_t columns = 0;   ///< of the embedding
  std::int64_t id_bytes = 0;  ///< of users' and items' IdTables
  bool fold_in = false;       ///< whether new users can be folded in
};

/// SegmentsFile without recommendations and profiles.
std::int64_t result_bytes(const ResultSizes& sizes);

/// The users' lists of `count` items.
std::int64_t lists_bytes(std::int64_t users, std::int64_t count);

}  // namespace cohort
