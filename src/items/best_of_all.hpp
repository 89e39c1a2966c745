// The best few of several lists whose entries are spread over the ranks, without any rank ever holding more than two
// ranks' worth: lists are merged pair by pair, then told to all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

/// The same on all ranks: those of list l are entries[row_begin[l] .. row_begin[l + 1]), best first.
template <class Entry>
struct BestOfAll {
  std::vector<std::int64_t> row_begin{0};
  std::vector<Entry> entries;
};

/// lists: this rank's entries of each list, in any order; length: how many of each are wanted; as many lists on all
/// ranks. Entry has operator<, better first and total, so that the result does not depend on the ranks. Collective.
template <Wire Entry>
BestOfAll<Entry> best_of_all(const Communicator& comm, std::vector<std::vector<Entry>> lists,
                             std::span<const std::int64_t> length) {
  const auto keep_best = [&](std::size_t l) {
    auto& list = lists[l];
    const auto kept = std::min(std::ssize(list), length[l]);
    std::partial_sort(list.begin(), list.begin() + kept, list.end());
    list.resize(kept);
  };
  std::vector<std::int64_t> size;
  std::vector<Entry> flat;
  const auto flatten = [&] {
    size.clear();
    flat.clear();
    for (auto& list : lists) {
      size.push_back(std::ssize(list));
      flat.insert(flat.end(), list.begin(), list.end());
      list = {};
    }
  };
  comm.attempt([&] {
    COHORT_CHECK(lists.size() == length.size());
    for (std::size_t l = 0; l < lists.size(); ++l) keep_best(l);
  });
  const int rank = comm.rank();
  for (int apart = 1; apart < comm.size(); apart *= 2) {
    const bool gives = rank % (2 * apart) == apart;
    const auto begin = [&](std::size_t count) {
      std::vector<std::int64_t> offsets(comm.size() + 1, 0);
      if (gives) std::fill(offsets.begin() + (rank - apart) + 1, offsets.end(), static_cast<std::int64_t>(count));
      return offsets;
    };
    comm.attempt([&] {
      size.clear();
      flat.clear();
      if (gives) flatten();
    });
    const auto size_begin = begin(size.size());
    const auto flat_begin = begin(flat.size());
    const auto sizes = comm.exchange(std::span<const std::int64_t>(size), std::span<const std::int64_t>(size_begin));
    const auto came = comm.exchange(std::span<const Entry>(flat), std::span<const std::int64_t>(flat_begin));
    comm.attempt([&] {
      auto at = came.data.begin();
      for (std::size_t l = 0; l < sizes.data.size(); ++l) {
        lists[l].insert(lists[l].end(), at, at + sizes.data[l]);
        at += sizes.data[l];
        keep_best(l);
      }
    });
  }
  comm.attempt(flatten);
  comm.broadcast(size);
  comm.broadcast(flat);
  BestOfAll<Entry> result;
  comm.attempt([&] {
    for (const auto of_list : size) result.row_begin.push_back(result.row_begin.back() + of_list);
  });
  result.entries = std::move(flat);
  return result;
}

}  // namespace cohort
