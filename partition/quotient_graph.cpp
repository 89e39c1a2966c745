#include "partition/quotient_graph.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/ragged.hpp"

namespace cohort {

namespace {

struct ShardPair {
  std::int32_t from;
  std::int32_t to;
  std::int64_t edges;
};

// Rows are taken shard by shard, so that one row of counters serves.
std::vector<ShardPair> count_pairs(const BlockGraph& blocks, const BlockShards& assignment) {
  const auto by_shard = bucket_by(std::span<const std::int32_t>(assignment.of_row), assignment.shards,
                                  [](std::int32_t shard) { return shard; });
  std::vector<ShardPair> pairs;
  std::vector<std::int64_t> edges_to(assignment.shards, 0);
  std::vector<std::int32_t> seen;
  for (std::int32_t from = 0; from < assignment.shards; ++from) {
    const auto s = static_cast<std::size_t>(from);
    for (const auto i : places_of(by_shard.begin, s)) {
      const auto row = static_cast<std::size_t>(by_shard.source[i]);
      for (const auto k : places_of(blocks.row_begin, row)) {
        const auto to = assignment.of_entry[k];
        if (to == from) continue;
        if (edges_to[to]++ == 0) seen.push_back(to);
      }
    }
    std::ranges::sort(seen);
    for (const auto to : seen) pairs.push_back({from, to, std::exchange(edges_to[to], 0)});
    seen.clear();
  }
  return pairs;
}

}  // namespace

QuotientGraph quotient_graph(const Communicator& comm, const BlockGraph& blocks, const BlockShards& assignment) {
  // Merged by row on all ranks first, so that rank 0 receives each pair once and not once from every rank.
  const auto rows = Distribution::even(assignment.shards, comm.size());
  std::vector<ShardPair> pairs;
  comm.attempt([&] { pairs = count_pairs(blocks, assignment); });
  std::vector<std::int64_t> begin;
  for (int r = 0; r < comm.size(); ++r) {
    begin.push_back(std::ranges::lower_bound(pairs, rows.begin(r), {}, &ShardPair::from) - pairs.begin());
  }
  begin.push_back(std::ssize(pairs));
  pairs = comm.exchange(std::span<const ShardPair>(pairs), std::span<const std::int64_t>(begin)).data;
  std::ranges::sort(pairs, {}, [](const ShardPair& pair) { return std::tie(pair.from, pair.to); });
  std::size_t kept = 0;
  for (const auto& pair : pairs) {
    if (kept > 0 && pairs[kept - 1].from == pair.from && pairs[kept - 1].to == pair.to) {
      pairs[kept - 1].edges += pair.edges;
    } else {
      pairs[kept++] = pair;
    }
  }
  pairs.resize(kept);
  const auto all = comm.gather(std::span<const ShardPair>(pairs)).data;

  QuotientGraph quotient;
  if (!comm.is_root()) return quotient;
  quotient.row_begin.assign(assignment.shards + 1, 0);
  for (const auto& pair : all) {
    ++quotient.row_begin[pair.from + 1];
    quotient.column.push_back(pair.to);
    quotient.weight.push_back(pair.edges);
  }
  std::partial_sum(quotient.row_begin.begin(), quotient.row_begin.end(), quotient.row_begin.begin());
  return quotient;
}

}  // namespace cohort
