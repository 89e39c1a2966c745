#include "partition/cut_points.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace cohort {

namespace {

// Cost of shards [i, j) is before[j] - before[i].
using Prefix = std::vector<std::int64_t>;

// The furthest end of a run that starts at `begin` and costs at most `bound`.
std::int64_t furthest_end(const Prefix& before, std::int64_t begin, std::int64_t bound) {
  const auto limit = before[begin] + bound;
  return std::ranges::upper_bound(before, limit) - before.begin() - 1;
}

bool fits(const Prefix& before, int ranks, std::int64_t bound) {
  std::int64_t end = 0;
  for (int r = 0; r < ranks; ++r) end = furthest_end(before, end, bound);
  return end == std::ssize(before) - 1;
}

std::int64_t least_bound(const Prefix& before, int ranks) {
  std::int64_t low = (before.back() + ranks - 1) / ranks;
  for (std::size_t s = 0; s + 1 < before.size(); ++s) low = std::max(low, before[s + 1] - before[s]);
  std::int64_t high = std::max(low, before.back());
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (fits(before, ranks, middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

void need_shards(std::int64_t shards, int ranks) {
  if (ranks > shards) {
    throw InputError("there are " + std::to_string(ranks) + " ranks but only " + std::to_string(shards) +
                     " shards, and a rank needs at least one; use fewer ranks or set partition.shards higher");
  }
}

Distribution cut_points(std::span<const std::int64_t> shard_cost, int ranks) {
  const std::int64_t shards = std::ssize(shard_cost);
  need_shards(shards, ranks);
  Prefix before(static_cast<std::size_t>(shards) + 1, 0);
  std::partial_sum(shard_cost.begin(), shard_cost.end(), before.begin() + 1);
  const auto bound = least_bound(before, ranks);

  // first[k]: where the last k ranks may begin at the earliest.
  std::vector<std::int64_t> first(ranks + 1, shards);
  for (std::size_t k = 1; k < first.size(); ++k) {
    const auto floor = before[first[k - 1]] - bound;
    first[k] = std::ranges::lower_bound(before, floor) - before.begin();
  }
  std::vector<std::int64_t> begin{0};
  for (int r = 0; r + 1 < ranks; ++r) {
    const auto left = ranks - r;
    const auto done = before[begin.back()];
    const auto low = std::max(begin.back() + 1, first[left - 1]);
    const auto high = std::min(furthest_end(before, begin.back(), bound), shards - (left - 1));
    const auto target = done + (before.back() - done) / left;
    auto end = std::ranges::lower_bound(before, target) - before.begin();
    if (end > 0 && target - before[end - 1] < before[end] - target) {
      --end;
    }
    begin.push_back(std::clamp(end, low, high));
  }
  begin.push_back(shards);
  return Distribution(std::move(begin));
}

}  // namespace cohort
