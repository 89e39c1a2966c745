// The best few of each segment out of entries that are spread over the ranks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "items/best_of_all.hpp"

namespace cohort {

/// Holds at most `count` entries a segment. Entry has operator<, better first and total, so that the result does not
/// depend on the order of offers or on the ranks.
template <Wire Entry>
class SegmentTop {
 public:
  SegmentTop(std::int64_t segments, std::int64_t count)
      : count_(static_cast<std::size_t>(count)), heaps_(static_cast<std::size_t>(segments)) {}

  /// Local.
  void offer(std::int64_t segment, const Entry& entry) {
    auto& heap = heaps_[segment];
    if (heap.size() < count_) {
      heap.push_back(entry);
      std::push_heap(heap.begin(), heap.end());
    } else if (count_ > 0 && entry < heap.front()) {
      std::pop_heap(heap.begin(), heap.end());
      heap.back() = entry;
      std::push_heap(heap.begin(), heap.end());
    }
  }

  /// Of all ranks; list s is that of segment s. Nothing is left here. Collective.
  BestOfAll<Entry> best(const Communicator& comm) {
    const std::vector<std::int64_t> length(heaps_.size(), static_cast<std::int64_t>(count_));
    return best_of_all(comm, std::move(heaps_), length);
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
