// Lists of ids seen as lists of plain numbers, for what works on any number (distinct values, index plans).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.hpp"

namespace cohort {

template <class Tag>
std::span<const std::int64_t> numbers(std::span<const Id<Tag, std::int64_t>> ids) {
  static_assert(sizeof(Id<Tag, std::int64_t>) == sizeof(std::int64_t));
  return {reinterpret_cast<const std::int64_t*>(ids.data()), ids.size()};
}
template <class Tag>
std::span<const std::int64_t> numbers(const std::vector<Id<Tag, std::int64_t>>& ids) {
  return numbers(std::span<const Id<Tag, std::int64_t>>(ids));
}

}  // namespace cohort
