// Tables of pairs made of a map, for references of graphs.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "data/dataset.hpp"

namespace cohort::testing_support {

using Pairs = std::map<std::pair<std::int64_t, std::int64_t>, float>;

/// The rows [first, last), without times.
inline PairTable table_of(const Pairs& pairs, std::int64_t first, std::int64_t last) {
  PairTable table;
  for (auto row = first; row < last; ++row) {
    for (auto pair = pairs.lower_bound({row, 0}); pair != pairs.end() && pair->first.first == row; ++pair) {
      table.other.push_back(pair->first.second);
      table.weight.push_back(pair->second);
    }
    table.row_begin.push_back(table.size());
  }
  return table;
}

}  // namespace cohort::testing_support
