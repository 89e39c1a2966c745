#include "data/pair_table.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/ragged.hpp"

namespace cohort {

namespace {

// The places of records in a send buffer ordered by the rank that they go to.
struct Routing {
  std::vector<std::int64_t> begin;  // P + 1
  HugeVector<std::int64_t> place;
};

Routing route(const Distribution& rows, const HugeVector<std::int64_t>& row) {
  Routing routing;
  routing.begin.assign(rows.ranks() + 1, 0);
  routing.place.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto owner = rows.owner(row[i]);
    routing.place[i] = owner;
    ++routing.begin[owner + 1];
  }
  std::partial_sum(routing.begin.begin(), routing.begin.end(), routing.begin.begin());
  std::vector<std::int64_t> next(routing.begin.begin(), routing.begin.end() - 1);
  for (auto& place : routing.place) place = next[place]++;
  return routing;
}

// Sends one column of the records and frees it.
template <Wire T>
std::vector<T> send_column(const Communicator& comm, const Routing& routing, HugeVector<T> column) {
  HugeVector<T> ordered(column.size());
  for (std::size_t i = 0; i < column.size(); ++i) ordered[routing.place[i]] = column[i];
  column = {};
  return comm.exchange(std::span<const T>(ordered), std::span(routing.begin)).data;
}

// Puts a column into the order of rows.
template <class T>
std::vector<T> by_row(const std::vector<std::int64_t>& place, std::vector<T> column) {
  std::vector<T> ordered(column.size());
  for (std::size_t i = 0; i < column.size(); ++i) ordered[place[i]] = column[i];
  return ordered;
}

}  // namespace

void merge_repeats(std::vector<PairRecord>& row, Repeats repeats) {
  std::ranges::sort(row, [](const PairRecord& a, const PairRecord& b) {
    return std::tie(a.other, a.weight) < std::tie(b.other, b.weight);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < row.size();) {
    double sum = 0;
    auto merged = row[i];
    auto first = row[i];
    auto last = row[i];
    const auto begin = i;
    for (; i < row.size() && row[i].other == merged.other; ++i) {
      sum += static_cast<double>(row[i].weight);
      // Weights ascend, so of one time the largest is taken.
      if (row[i].time <= first.time) first = row[i];
      if (row[i].time >= last.time) last = row[i];
    }
    merged.time = last.time;
    const auto records = static_cast<double>(i - begin);
    double weight = sum;
    switch (repeats) {
      case Repeats::sum:
        break;
      case Repeats::last:
        weight = last.weight;
        break;
      case Repeats::first:
        weight = first.weight;
        merged.time = first.time;
        break;
      case Repeats::max:
        weight = row[i - 1].weight;
        break;
      case Repeats::mean:
        weight = sum / records;
        break;
      case Repeats::count:
        weight = records;
        break;
    }
    merged.weight = static_cast<float>(std::min(weight, static_cast<double>(std::numeric_limits<float>::max())));
    row[kept++] = merged;
  }
  row.resize(kept);
}

MergedPairs make_pair_table(const Communicator& comm, const Distribution& rows, RawPairs records, Repeats repeats) {
  PairTable table;
  std::vector<std::int64_t> place;
  {
    const auto routing = route(rows, records.row);
    auto row = send_column(comm, routing, std::move(records.row));
    table.other = send_column(comm, routing, std::move(records.other));
    table.weight = send_column(comm, routing, std::move(records.weight));
    if (records.has_time) table.time = send_column(comm, routing, std::move(records.time));
    // Counting sort by row.
    for (auto& number : row) number -= rows.begin(comm.rank());
    table.row_begin.assign(rows.count(comm.rank()) + 1, 0);
    for (const auto number : row) ++table.row_begin[number + 1];
    std::partial_sum(table.row_begin.begin(), table.row_begin.end(), table.row_begin.begin());
    std::vector<std::int64_t> next(table.row_begin.begin(), table.row_begin.end() - 1);
    for (auto& number : row) number = next[number]++;
    place = std::move(row);
  }
  table.other = by_row(place, std::move(table.other));
  table.weight = by_row(place, std::move(table.weight));
  table.time = by_row(place, std::move(table.time));
  place = {};

  MergedPairs result;
  result.records.reserve(table.row_begin.size() - 1);
  std::vector<PairRecord> scratch;
  std::size_t kept = 0;
  std::size_t at = 0;
  for (std::size_t r = 0; r + 1 < table.row_begin.size(); ++r) {
    scratch.clear();
    for (const auto end = static_cast<std::size_t>(table.row_begin[r + 1]); at < end; ++at) {
      scratch.push_back({table.other[at], table.weight[at], records.has_time ? table.time[at] : 0.0});
    }
    result.records.push_back(std::ssize(scratch));
    merge_repeats(scratch, repeats);
    table.row_begin[r] = static_cast<std::int64_t>(kept);
    for (const auto& entry : scratch) {
      table.other[kept] = entry.other;
      table.weight[kept] = entry.weight;
      if (records.has_time) table.time[kept] = entry.time;
      ++kept;
    }
  }
  result.merged = static_cast<std::int64_t>(at - kept);
  table.row_begin.back() = static_cast<std::int64_t>(kept);
  table.other.resize(kept);
  table.weight.resize(kept);
  if (records.has_time) table.time.resize(kept);
  result.table = std::move(table);
  return result;
}

PairTable keep_entries(const PairTable& table, const std::vector<char>& keep) {
  PairTable kept;
  for (std::size_t r = 0; r + 1 < table.row_begin.size(); ++r) {
    for (auto i = static_cast<std::size_t>(table.row_begin[r]); i < static_cast<std::size_t>(table.row_begin[r + 1]);
         ++i) {
      if (!keep[i]) continue;
      kept.other.push_back(table.other[i]);
      kept.weight.push_back(table.weight[i]);
      if (!table.time.empty()) kept.time.push_back(table.time[i]);
    }
    kept.row_begin.push_back(kept.size());
  }
  return kept;
}

PairTable move_rows(const Communicator& comm, const PairTable& table, std::int64_t first_row, const Distribution& to) {
  std::vector<std::int64_t> row_cut;
  std::vector<std::int64_t> entry_cut;
  for (int r = 0; r <= comm.size(); ++r) {
    const auto edge = r < comm.size() ? to.begin(r) : to.total();
    row_cut.push_back(std::clamp<std::int64_t>(edge - first_row, 0, table.rows()));
    entry_cut.push_back(table.row_begin[row_cut.back()]);
  }
  std::vector<std::int64_t> lengths(table.rows());
  for (std::size_t r = 0; r < lengths.size(); ++r) lengths[r] = places_of(table.row_begin, r).size();
  const std::span<const std::int64_t> entries(entry_cut);
  PairTable moved;
  for (const auto length :
       comm.exchange(std::span<const std::int64_t>(lengths), std::span(std::as_const(row_cut))).data) {
    moved.row_begin.push_back(moved.row_begin.back() + length);
  }
  moved.other = comm.exchange(std::span(table.other), entries).data;
  moved.weight = comm.exchange(std::span(table.weight), entries).data;
  if (comm.any(!table.time.empty())) moved.time = comm.exchange(std::span(table.time), entries).data;
  return moved;
}

}  // namespace cohort
