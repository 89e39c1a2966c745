// Lists of different lengths that stand one after the other: list r is [begin[r], begin[r + 1]) of what `begin` belongs
// to. For everybody who keeps rows of a sparse matrix, parts by rank, strings.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cohort {

/// Places first, first + 1, ..., last - 1, for a range-based loop.
struct Places {
  struct Iterator {
    std::int64_t place;
    std::int64_t operator*() const { return place; }
    Iterator& operator++() {
      ++place;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return place != other.place; }
  };
  std::int64_t first = 0;
  std::int64_t last = 0;

  Iterator begin() const { return {first}; }
  Iterator end() const { return {last}; }
  std::int64_t size() const { return last - first; }
};

/// Where the entries of list `row` stand. begin: lists + 1 offsets, ascending.
template <std::integral Row>
Places places_of(std::span<const std::int64_t> begin, Row row) {
  const auto r = static_cast<std::size_t>(row);
  return {begin[r], begin[r + 1]};
}

/// The entries of list `row`.
template <class T, std::integral Row>
std::span<const T> list_of(std::span<const T> entries, std::span<const std::int64_t> begin, Row row) {
  const auto places = places_of(begin, row);
  return entries.subspan(places.first, places.size());
}
template <std::integral Row>
std::string_view list_of(std::string_view text, std::span<const std::int64_t> begin, Row row) {
  const auto places = places_of(begin, row);
  return text.substr(static_cast<std::size_t>(places.first), static_cast<std::size_t>(places.size()));
}

}  // namespace cohort
