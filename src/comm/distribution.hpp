// Who owns what: contiguous ranges of 0..total-1, one for each rank.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cohort {

/// Rank r owns [begin[r], begin[r + 1]). begin has P + 1 entries, ascending, from 0 to the total.
class Distribution {
 public:
  Distribution() = default;
  explicit Distribution(std::vector<std::int64_t> begin) : begin_(std::move(begin)) {}

  /// Even blocks: rank r begins at floor(r * total / P).
  static Distribution even(std::int64_t total, int ranks) {
    std::vector<std::int64_t> begin(ranks + 1);
    for (int r = 0; r <= ranks; ++r) {
      __extension__ using Wide = __int128;
      begin[r] = static_cast<std::int64_t>(Wide{total} * r / ranks);
    }
    return Distribution(std::move(begin));
  }

  int ranks() const { return static_cast<int>(begin_.size()) - 1; }
  std::int64_t total() const { return begin_.back(); }
  std::int64_t begin(int rank) const { return begin_[rank]; }
  std::int64_t end(int rank) const { return begin_[rank + 1]; }
  std::int64_t count(int rank) const { return end(rank) - begin(rank); }
  /// The rank that owns `index`, 0 <= index < total(). O(log P).
  int owner(std::int64_t index) const {
    return static_cast<int>(std::upper_bound(begin_.begin(), begin_.end(), index) - begin_.begin()) - 1;
  }

 private:
  std::vector<std::int64_t> begin_{0, 0};
};

/// Which shards each rank owns, and which positions each shard holds.
struct ShardLayout {
  Distribution shards_of_rank;  ///< total: S
  std::vector<std::int64_t>
      position_begin;  ///< S + 1: shard s holds positions [position_begin[s], position_begin[s + 1])

  std::int32_t shards() const { return static_cast<std::int32_t>(shards_of_rank.total()); }
  std::int32_t first_shard(int rank) const { return static_cast<std::int32_t>(shards_of_rank.begin(rank)); }
  std::int32_t last_shard(int rank) const { return static_cast<std::int32_t>(shards_of_rank.end(rank)); }
  /// Positions by rank.
  Distribution positions_of_rank() const {
    std::vector<std::int64_t> begin;
    for (int r = 0; r <= shards_of_rank.ranks(); ++r) {
      const auto shard = r < shards_of_rank.ranks() ? shards_of_rank.begin(r) : shards_of_rank.total();
      begin.push_back(position_begin[shard]);
    }
    return Distribution(std::move(begin));
  }
};

}  // namespace cohort
