// The best few of each segment out of entries that are spread over the ranks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

/// The best of all segments, the same on all ranks: those of segment s are entries[row_begin[s] .. row_begin[s + 1]).
template <class Entry>
struct SegmentBest {
  std::vector<std::int64_t> row_begin{0};
  std::vector<Entry> entries;
};

/// Holds at most `count` entries a segment. Entry has operator<, better first and total, so that the result does not
/// depend on the order of offers or on the ranks.
template <Wire Entry>
class SegmentTop {
 public:
  SegmentTop(std::int64_t segments, std::int64_t count)
      : count_(static_cast<std::size_t>(count)), heaps_(static_cast<std::size_t>(segments)) {}

  /// Local.
  void offer(std::int64_t segment, const Entry& entry) {
    auto& heap = heaps_[static_cast<std::size_t>(segment)];
    if (heap.size() < count_) {
      heap.push_back(entry);
      std::push_heap(heap.begin(), heap.end());
    } else if (count_ > 0 && entry < heap.front()) {
      std::pop_heap(heap.begin(), heap.end());
      heap.back() = entry;
      std::push_heap(heap.begin(), heap.end());
    }
  }

  /// Each rank merges the lists of some segments, so that no rank sees more than those and the result. Collective.
  SegmentBest<Entry> best(const Communicator& comm) const {
    const auto segments = std::ssize(heaps_);
    const auto owners = Distribution::even(segments, comm.size());
    std::vector<std::int64_t> sizes(heaps_.size());
    std::vector<Entry> mine;
    std::vector<std::int64_t> entry_begin(1, 0);
    std::vector<std::int64_t> size_begin(1, 0);
    for (int rank = 0; rank < comm.size(); ++rank) {
      for (auto s = owners.begin(rank); s < owners.end(rank); ++s) {
        const auto& heap = heaps_[static_cast<std::size_t>(s)];
        sizes[static_cast<std::size_t>(s)] = std::ssize(heap);
        mine.insert(mine.end(), heap.begin(), heap.end());
      }
      entry_begin.push_back(std::ssize(mine));
      size_begin.push_back(owners.end(rank));
    }
    const auto came_sizes =
        comm.exchange(std::span<const std::int64_t>(sizes), std::span<const std::int64_t>(size_begin));
    const auto came = comm.exchange(std::span<const Entry>(mine), std::span<const std::int64_t>(entry_begin));
    SegmentTop merged(owners.count(comm.rank()), static_cast<std::int64_t>(count_));
    auto at = came.data.begin();
    for (int rank = 0; rank < comm.size(); ++rank) {
      std::int64_t segment = 0;
      for (const auto size : came_sizes.from(rank)) {
        for (std::int64_t i = 0; i < size; ++i) merged.offer(segment, *at++);
        ++segment;
      }
    }
    std::vector<std::int64_t> merged_sizes;
    std::vector<Entry> merged_entries;
    for (auto& heap : merged.heaps_) {
      std::sort_heap(heap.begin(), heap.end());
      merged_sizes.push_back(std::ssize(heap));
      merged_entries.insert(merged_entries.end(), heap.begin(), heap.end());
    }
    SegmentBest<Entry> result;
    result.entries = comm.all_gather(std::span<const Entry>(merged_entries)).data;
    for (const auto size : comm.all_gather(std::span<const std::int64_t>(merged_sizes)).data) {
      result.row_begin.push_back(result.row_begin.back() + size);
    }
    return result;
  }

 private:
  std::size_t count_;
  std::vector<std::vector<Entry>> heaps_;  // the worst of each in front
};

/// A number of something and what it is ranked by: smaller first, ties to the smaller number.
struct RankedId {
  double value = 0;
  std::int64_t id = 0;
  friend bool operator<(const RankedId& a, const RankedId& b) {
    return a.value != b.value ? a.value < b.value : a.id < b.id;
  }
};

}  // namespace cohort
