// The different values of a list and where each entry stands among them, in time linear in the list: for referring to
// few of many numbers, each of them often.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/huge_vector.hpp"

namespace cohort {

struct Distinct {
  std::vector<std::int64_t> values;  ///< ascending, no repeats
  HugeVector<std::uint32_t> place;   ///< entry i of the list is values[place[i]]
};

/// `list`: numbers from 0 on. Throws RunError beyond 2^32 - 2 different ones. Local.
Distinct distinct_of(std::span<const std::int64_t> list);

}  // namespace cohort
