#include "items/item_counts.hpp"

#include <algorithm>
#include <numeric>

#include "core/ragged.hpp"
#include "data/distinct.hpp"

namespace cohort {

namespace {

struct Count {
  std::int64_t item;
  std::int32_t segment;
  std::int32_t users;
};

// Counts over a dense array, of which only what was touched is visited and cleared.
class SparseCounter {
 public:
  explicit SparseCounter(std::int64_t size) : count_(static_cast<std::size_t>(size), 0) {}

  void add(std::int64_t at, std::int32_t count) {
    auto& sum = count_[at];
    if (sum == 0) touched_.push_back(at);
    sum += count;
  }
  /// take(at, count) in ascending order of at; zero again afterwards.
  template <class Take>
  void drain(Take take) {
    std::ranges::sort(touched_);
    for (const auto at : touched_) {
      take(at, count_[at]);
      count_[at] = 0;
    }
    touched_.clear();
  }

 private:
  std::vector<std::int32_t> count_;
  std::vector<std::int64_t> touched_;
};

// Indices 0..keys.size()-1 by key, stable; begin: where each key's start.
struct ByKey {
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> index;
};

template <class KeyOf>
ByKey by_key(std::int64_t count, std::int32_t keys, KeyOf key_of) {
  ByKey result;
  result.begin.assign(keys + 1, 0);
  for (std::int64_t i = 0; i < count; ++i) ++result.begin[key_of(i) + 1];
  std::partial_sum(result.begin.begin(), result.begin.end(), result.begin.begin());
  std::vector<std::int64_t> next(result.begin.begin(), result.begin.end() - 1);
  result.index.resize(count);
  for (std::int64_t i = 0; i < count; ++i) {
    result.index[next[key_of(i)]++] = i;
  }
  return result;
}

// What this rank's users have, one segment after the other, items ascending.
std::vector<Count> count_of_users(const PairTable& interactions, std::span<const std::int32_t> segment,
                                  std::int32_t segments) {
  const auto users = by_key(std::ssize(segment), segments, [&](auto u) { return segment[u]; });
  const auto items = distinct_of(interactions.other);
  std::vector<Count> counts;
  SparseCounter counter(std::ssize(items.values));
  for (std::int32_t s = 0; s < segments; ++s) {
    const auto at = static_cast<std::size_t>(s);
    for (const auto i : places_of(users.begin, at)) {
      const auto user = static_cast<std::size_t>(users.index[i]);
      for (const auto k : places_of(interactions.row_begin, user)) {
        counter.add(items.place[k], 1);
      }
    }
    counter.drain([&](std::int64_t place, std::int32_t count) { counts.push_back({items.values[place], s, count}); });
  }
  return counts;
}

// Where the users of `segment` that have item `row` stand among the entries; -1 where there are none.
std::int64_t entry_of(const ItemCounts& counts, std::int32_t segment, std::int64_t row) {
  const auto s = static_cast<std::size_t>(segment);
  const auto last = counts.row.begin() + counts.begin[s + 1];
  const auto at = std::lower_bound(counts.row.begin() + counts.begin[s], last, row);
  return at != last && *at == row ? at - counts.row.begin() : -1;
}

// Every pair at the owner of its item.
Bucketed<SegmentItem> by_owner(const Communicator& comm, const ItemCounts& counts, std::span<const SegmentItem> pairs) {
  Bucketed<SegmentItem> sent;
  comm.attempt([&] {
    sent = bucket_by(pairs, comm.size(), [&](const SegmentItem& pair) { return counts.blocks.owner(pair.item); });
  });
  return sent;
}

}  // namespace

ItemCounts count_items(const Communicator& comm, const PairTable& interactions, std::span<const std::int32_t> segment,
                       std::int32_t segments, const Distribution& items) {
  COHORT_CHECK(std::ssize(segment) == interactions.rows());
  std::vector<Count> counted;
  Bucketed<Count> sent;
  comm.attempt([&] {
    counted = count_of_users(interactions, segment, segments);
    sent = bucket_by(std::span<const Count>(counted), comm.size(),
                     [&](const Count& count) { return items.owner(count.item); });
    counted = {};
  });
  const auto came = comm.exchange(std::span<const Count>(sent.data), std::span<const std::int64_t>(sent.begin)).data;
  sent = {};

  ItemCounts result;
  result.blocks = items;
  comm.attempt([&] {
    const auto first = items.begin(comm.rank());
    result.users.assign(items.count(comm.rank()), 0);
    result.in_segment.assign(segments, 0);
    const auto arrived = by_key(std::ssize(came), segments, [&](auto i) { return came[i].segment; });
    SparseCounter counter(items.count(comm.rank()));
    for (std::size_t s = 0; s < result.in_segment.size(); ++s) {
      for (const auto i : places_of(arrived.begin, s)) {
        const auto& count = came[arrived.index[i]];
        counter.add(count.item - first, count.users);
      }
      counter.drain([&](std::int64_t row, std::int32_t count) {
        result.row.push_back(static_cast<std::int32_t>(row));
        result.segment_users.push_back(count);
        result.users[row] += count;
        result.in_segment[s] += count;
      });
      result.begin.push_back(std::ssize(result.row));
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(result.in_segment));
  result.interactions = std::accumulate(result.in_segment.begin(), result.in_segment.end(), std::int64_t{0});
  return result;
}

std::vector<PairCount> look_up(const Communicator& comm, const ItemCounts& counts, std::span<const SegmentItem> pairs) {
  const auto sent = by_owner(comm, counts, pairs);
  const auto asked = comm.exchange(std::span<const SegmentItem>(sent.data), std::span<const std::int64_t>(sent.begin));
  std::vector<PairCount> answers;
  comm.attempt([&] {
    for (const auto& pair : asked.data) {
      const auto row = pair.item - counts.blocks.begin(comm.rank());
      const auto entry = entry_of(counts, pair.segment, row);
      answers.push_back({counts.users[row], entry < 0 ? 0 : counts.segment_users[entry]});
    }
  });
  const auto came = comm.exchange(std::span<const PairCount>(answers), std::span<const std::int64_t>(asked.begin)).data;
  std::vector<PairCount> result(pairs.size());
  for (std::size_t i = 0; i < came.size(); ++i) result[sent.source[i]] = came[i];
  return result;
}

}  // namespace cohort
