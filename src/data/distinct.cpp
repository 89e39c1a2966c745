#include "data/distinct.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::uint32_t no_number = UINT32_MAX;

// Numbers the values in the order in which they come; open addressing, at most half full.
class Numbering {
 public:
  std::uint32_t number(std::int64_t value) {
    auto at = home(value);
    while (slots_[at] != no_number) {
      if (values_[slots_[at]] == value) return slots_[at];
      at = (at + 1) & (slots_.size() - 1);
    }
    if (values_.size() >= no_number) throw RunError("one rank refers to more than 2^32 - 2 nodes; use more ranks");
    const auto number = static_cast<std::uint32_t>(values_.size());
    slots_[at] = number;
    values_.push_back(value);
    if (2 * values_.size() > slots_.size()) grow();
    return number;
  }
  std::vector<std::int64_t> take_values() { return std::move(values_); }

 private:
  std::size_t home(std::int64_t value) const {
    return (static_cast<std::uint64_t>(value) * 0x9E3779B97F4A7C15u) >> shift_;
  }
  void grow() {
    const auto size = 2 * slots_.size();
    slots_ = {};  // before the larger one is there
    slots_.assign(size, no_number);
    --shift_;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      auto at = home(values_[i]);
      while (slots_[at] != no_number) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<std::uint32_t>(i);
    }
  }

  // Numbers alone: with the values beside them the table, which grows in steps of two, would be the largest thing that
  // its callers hold.
  HugeVector<std::uint32_t> slots_ = HugeVector<std::uint32_t>(1024, no_number);
  int shift_ = 54;
  std::vector<std::int64_t> values_;
};

}  // namespace

Distinct distinct_of(std::span<const std::int64_t> list) {
  Numbering numbering;
  Distinct result;
  result.place.resize(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) result.place[i] = numbering.number(list[i]);
  const auto seen = numbering.take_values();
  std::vector<std::uint32_t> order(seen.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t number) { return seen[number]; });
  std::vector<std::uint32_t> place_of(seen.size());
  result.values.resize(seen.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.values[i] = seen[order[i]];
    place_of[order[i]] = static_cast<std::uint32_t>(i);
  }
  for (auto& place : result.place) place = place_of[place];
  return result;
}

}  // namespace cohort
