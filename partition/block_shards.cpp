#include "partition/block_shards.hpp"

#include "comm/index_plan.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "graph/id_numbers.hpp"

namespace cohort {

void BlockShards::renumber(std::span<const std::int32_t> number) {
  for (auto& shard : of_row) shard = number[shard];
  for (auto& shard : of_entry) shard = number[shard];
}

BlockShards shards_of_entries(const Communicator& comm, const BlockGraph& blocks,
                              std::span<const std::int32_t> shard_of, std::int32_t shards) {
  COHORT_CHECK(std::ssize(shard_of) == blocks.rows());
  BlockShards result;
  Distinct columns;
  comm.attempt([&] {
    for (const auto shard : shard_of) COHORT_CHECK(shard >= 0 && shard < shards, "a node's shard is out of range");
    columns = distinct_of(numbers(blocks.column));
    result.of_entry.resize(blocks.column.size());
  });
  const auto shard_of_distinct = IndexPlan(comm, blocks.distribution, columns.values).fetch(shard_of);
  for (std::size_t k = 0; k < result.of_entry.size(); ++k) result.of_entry[k] = shard_of_distinct[columns.place[k]];
  result.shards = shards;
  result.of_row.assign(shard_of.begin(), shard_of.end());
  return result;
}

std::vector<std::int64_t> shard_costs(const Communicator& comm, const BlockGraph& blocks,
                                      const BlockShards& assignment) {
  std::vector<std::int64_t> cost(assignment.shards, 0);
  for (std::size_t row = 0; row < assignment.of_row.size(); ++row) {
    cost[assignment.of_row[row]] += 1 + places_of(blocks.row_begin, row).size();
  }
  comm.sum_in_place(std::span<std::int64_t>(cost));
  return cost;
}

}  // namespace cohort
