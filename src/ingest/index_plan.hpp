// References into an array that is distributed over the ranks: fetching the referred values, and adding to them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

class IndexPlan {
 public:
  /// `wanted`: ascending, no repeats, within 0..owners.total()-1. Collective. `comm` must outlive the plan.
  IndexPlan(const Communicator& comm, const Distribution& owners, std::span<const std::int64_t> wanted) : comm_(comm) {
    for (int r = 0; r <= comm.size(); ++r) {
      const auto edge = r < comm.size() ? owners.begin(r) : owners.total();
      wanted_begin_.push_back(std::ranges::lower_bound(wanted, edge) - wanted.begin());
    }
    auto asked = comm.exchange(wanted, std::span(std::as_const(wanted_begin_)));
    asked_ = std::move(asked.data);
    asked_begin_ = std::move(asked.begin);
    for (auto& index : asked_) index -= owners.begin(comm.rank());
  }

  /// The wanted values, in the order of `wanted`; `owned`: this rank's part of the array. Collective.
  template <Wire T>
  std::vector<T> fetch(std::span<const T> owned) const {
    std::vector<T> answers(asked_.size());
    std::ranges::transform(asked_, answers.begin(), [&](std::int64_t i) { return owned[static_cast<std::size_t>(i)]; });
    return comm_.exchange(std::span<const T>(answers), std::span(asked_begin_)).data;
  }

  /// Adds contributions[i] to the owner's value of wanted[i]. Collective.
  template <std::integral T>
  void add(std::span<const T> contributions, std::span<T> owned) const {
    const auto got = comm_.exchange(contributions, std::span(wanted_begin_)).data;
    for (std::size_t i = 0; i < got.size(); ++i) owned[static_cast<std::size_t>(asked_[i])] += got[i];
  }

  /// Sets the owner's value of wanted[i] to values[i]; where ranks differ, the highest rank's stays. Collective.
  template <Wire T>
  void set(std::span<const T> values, std::span<T> owned) const {
    const auto got = comm_.exchange(values, std::span(wanted_begin_)).data;
    for (std::size_t i = 0; i < got.size(); ++i) owned[static_cast<std::size_t>(asked_[i])] = got[i];
  }

 private:
  const Communicator& comm_;
  std::vector<std::int64_t> wanted_begin_;  // P + 1
  std::vector<std::int64_t> asked_;         // local indices that other ranks want, by rank
  std::vector<std::int64_t> asked_begin_;   // P + 1
};

}  // namespace cohort
