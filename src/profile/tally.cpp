#include "profile/tally.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// Adds up entries (feature * segments + segment, count) at the owners of the features. each(emit) calls emit(key,
// count) for every entry, the same ones each time it is called. `counted`: false if every count is 1, so that none is
// sent.
template <class Each>
SegmentTally tally(const Communicator& comm, const Distribution& features, std::int64_t segments, bool counted,
                   const Each& each) {
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> key;
  std::vector<std::int64_t> count;
  comm.attempt([&] {
    begin.assign(comm.size() + 1, 0);
    each([&](std::int64_t entry, std::int64_t) { ++begin[features.owner(entry / segments) + 1]; });
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    key.resize(begin.back());
    if (counted) count.resize(key.size());
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    each([&](std::int64_t entry, std::int64_t times) {
      const auto at = static_cast<std::size_t>(next[features.owner(entry / segments)]++);
      key[at] = entry;
      if (counted) count[at] = times;
    });
  });
  key = comm.exchange(std::span<const std::int64_t>(key), std::span<const std::int64_t>(begin)).data;
  if (counted) count = comm.exchange(std::span<const std::int64_t>(count), std::span<const std::int64_t>(begin)).data;

  SegmentTally result;
  result.features = features;
  comm.attempt([&] {
    const auto first = features.begin(comm.rank());
    const auto rows = features.count(comm.rank());
    // By feature, in whatever order within.
    std::vector<std::int64_t> arrived_begin(rows + 1, 0);
    for (const auto entry : key) ++arrived_begin[entry / segments - first + 1];
    std::partial_sum(arrived_begin.begin(), arrived_begin.end(), arrived_begin.begin());
    std::vector<std::int32_t> arrived(key.size());
    std::vector<std::int64_t> arrived_count(count.size());
    std::vector<std::int64_t> next(arrived_begin.begin(), arrived_begin.end() - 1);
    for (std::size_t i = 0; i < key.size(); ++i) {
      const auto feature = key[i] / segments;
      const auto at = static_cast<std::size_t>(next[feature - first]++);
      arrived[at] = static_cast<std::int32_t>(key[i] - feature * segments);
      if (counted) arrived_count[at] = count[i];
    }
    key = {};
    count = {};
    std::vector<std::int64_t> sum(segments, 0);
    std::vector<std::int32_t> touched;
    for (std::int64_t row = 0; row < rows; ++row) {
      touched.clear();
      for (const auto i : places_of(arrived_begin, row)) {
        auto& cell = sum[arrived[i]];
        if (cell == 0) touched.push_back(arrived[i]);
        cell += counted ? arrived_count[i] : 1;
      }
      std::ranges::sort(touched);
      for (const auto segment : touched) {
        result.segment.push_back(segment);
        result.count.push_back(std::exchange(sum[segment], 0));
      }
      result.row_begin.push_back(std::ssize(result.segment));
    }
  });
  return result;
}

}  // namespace

std::int64_t SegmentTally::total(std::int64_t row) const {
  return std::accumulate(count.begin() + row_begin[row], count.begin() + row_begin[row + 1], std::int64_t{0});
}

SegmentTally tally_items(const Communicator& comm, const PairTable& interactions, std::span<const std::int32_t> segment,
                         const Distribution& items, std::int64_t segments) {
  COHORT_CHECK(interactions.rows() == std::ssize(segment));
  return tally(comm, items, segments, false, [&](const auto& emit) {
    for (std::size_t user = 0; user < segment.size(); ++user) {
      for (const auto i : places_of(interactions.row_begin, user)) {
        emit(interactions.other[i] * segments + segment[user], 1);
      }
    }
  });
}

SegmentTally tally_categories(const Communicator& comm, const SegmentTally& items, const CategoryAttribute& attribute,
                              std::int64_t segments) {
  COHORT_CHECK(std::ssize(attribute.row_begin) == std::ssize(items.row_begin));
  // Category by category, the items of this rank are added up first: a rank sends no more than its categories times the
  // segments that they occur in.
  const auto categories = std::ssize(attribute.categories);
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> item;
  comm.attempt([&] {
    begin.assign(categories + 1, 0);
    for (const auto category : attribute.category) ++begin[category + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    item.resize(attribute.category.size());
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    for (std::int64_t row = 0; row < items.rows(); ++row) {
      for (const auto i : places_of(attribute.row_begin, row)) {
        item[next[attribute.category[i]]++] = row;
      }
    }
  });
  return tally(comm, Distribution::even(categories, comm.size()), segments, true, [&](const auto& emit) {
    std::vector<std::int64_t> sum(segments, 0);
    for (std::int64_t category = 0; category < categories; ++category) {
      for (const auto i : places_of(begin, category)) {
        const auto row = static_cast<std::size_t>(item[i]);
        for (const auto j : places_of(items.row_begin, row)) {
          sum[items.segment[j]] += items.count[j];
        }
      }
      if (begin[category] == begin[category + 1]) continue;
      for (std::int64_t segment = 0; segment < segments; ++segment) {
        const auto times = std::exchange(sum[segment], 0);
        if (times > 0) emit(category * segments + segment, times);
      }
    }
  });
}

SegmentTally tally_users(const Communicator& comm, const CategoryAttribute& attribute,
                         std::span<const std::int32_t> segment, std::int64_t segments) {
  COHORT_CHECK(std::ssize(attribute.row_begin) == std::ssize(segment) + 1);
  const auto categories = Distribution::even(std::ssize(attribute.categories), comm.size());
  return tally(comm, categories, segments, false, [&](const auto& emit) {
    for (std::size_t user = 0; user < segment.size(); ++user) {
      for (const auto i : places_of(attribute.row_begin, user)) {
        emit(std::int64_t{attribute.category[i]} * segments + segment[user], 1);
      }
    }
  });
}

}  // namespace cohort
