// References into an array that is distributed over the ranks: fetching the referred values, and adding to them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/ragged.hpp"

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
    std::ranges::transform(asked_, answers.begin(), [&](std::int64_t i) { return owned[i]; });
    return comm_.exchange(std::span<const T>(answers), std::span(asked_begin_)).data;
  }

  struct Rows {
    std::vector<std::int64_t> row_begin;  ///< wanted + 1
    std::vector<std::int32_t> value;
  };
  /// The same where a value is a list: owned[i] is values[row_begin[i] .. row_begin[i + 1]). Collective.
  Rows fetch_rows(std::span<const std::int64_t> row_begin, std::span<const std::int32_t> values) const {
    std::vector<std::int64_t> length;
    std::vector<std::int32_t> answers;
    std::vector<std::int64_t> begin(1, 0);
    for (std::size_t r = 0; r + 1 < asked_begin_.size(); ++r) {
      for (const auto a : places_of(asked_begin_, r)) {
        const auto row = static_cast<std::size_t>(asked_[a]);
        length.push_back(places_of(row_begin, row).size());
        answers.insert(answers.end(), values.begin() + row_begin[row], values.begin() + row_begin[row + 1]);
      }
      begin.push_back(std::ssize(answers));
    }
    Rows result;
    const auto lengths = comm_.exchange(std::span<const std::int64_t>(length), std::span(asked_begin_)).data;
    result.row_begin.assign(lengths.size() + 1, 0);
    std::partial_sum(lengths.begin(), lengths.end(), result.row_begin.begin() + 1);
    result.value = comm_.exchange(std::span<const std::int32_t>(answers), std::span<const std::int64_t>(begin)).data;
    return result;
  }

  /// Adds contributions[i] to the owner's value of wanted[i]. Collective.
  template <std::integral T>
  void add(std::span<const T> contributions, std::span<T> owned) const {
    const auto got = comm_.exchange(contributions, std::span(wanted_begin_)).data;
    for (std::size_t i = 0; i < got.size(); ++i) owned[asked_[i]] += got[i];
  }

  /// Sets the owner's value of wanted[i] to values[i]; where ranks differ, the highest rank's stays. Collective.
  template <Wire T>
  void set(std::span<const T> values, std::span<T> owned) const {
    const auto got = comm_.exchange(values, std::span(wanted_begin_)).data;
    for (std::size_t i = 0; i < got.size(); ++i) owned[asked_[i]] = got[i];
  }

 private:
  const Communicator& comm_;
  std::vector<std::int64_t> wanted_begin_;  // P + 1
  std::vector<std::int64_t> asked_;         // local indices that other ranks want, by rank
  std::vector<std::int64_t> asked_begin_;   // P + 1
};

}  // namespace cohort
