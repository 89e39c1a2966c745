// The numbers a node goes by. They are different types, so that one is never taken for another.
//
//   NodeId    the dictionary's number: users 0..U-1 in the order of their ids, then items U..U+I-1. It depends on the
//             input alone, so random numbers are keyed by it and results are written in its order.
//   Position  the place after partitioning: shard by shard, within a shard by NodeId. A shard, and so a rank, owns a
//             contiguous range of positions.
//   LocalRow  a row of this rank's matrices: owned rows first (position minus the rank's first), then ghosts in the
//             order of their positions.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace cohort {

template <class Tag, class Number>
struct Id {
  using value_type = Number;
  Number value{};

  Id() = default;
  constexpr explicit Id(Number number) : value(number) {}
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using NodeId = Id<struct NodeIdTag, std::int64_t>;
using Position = Id<struct PositionTag, std::int64_t>;
using LocalRow = Id<struct LocalRowTag, std::int32_t>;

}  // namespace cohort

template <class Tag, class Number>
struct std::hash<cohort::Id<Tag, Number>> {
  std::size_t operator()(const cohort::Id<Tag, Number>& id) const noexcept { return std::hash<Number>{}(id.value); }
};
