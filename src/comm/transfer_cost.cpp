#include "comm/transfer_cost.hpp"

#include <bit>

#include "core/shard_tree.hpp"

namespace cohort {

namespace {

double rounds(std::int64_t ranks) {
  return ranks <= 1 ? 0.0 : static_cast<double>(std::bit_width(static_cast<std::uint64_t>(ranks - 1)));
}

}  // namespace

double exchange_seconds(const Interconnect& network, std::int64_t neighbours, std::int64_t bytes) {
  return static_cast<double>(neighbours) * network.latency + static_cast<double>(bytes) / network.bytes_per_second;
}

double sum_seconds(const Interconnect& network, std::int64_t ranks, std::int64_t bytes) {
  return 2 * rounds(ranks) * network.latency + static_cast<double>(sum_bytes(ranks, bytes)) / network.bytes_per_second;
}

std::int64_t sum_bytes(std::int64_t ranks, std::int64_t bytes) {
  return 2 * bytes * (ranks - 1) / ranks;
}

std::int64_t shard_sum_bytes(const ShardLayout& layout, int rank, std::int64_t width) {
  // Columns of all its blocks to whoever finishes them, and its own finished columns to everybody.
  const int ranks = layout.shards_of_rank.ranks();
  const auto columns = Distribution::even(width, ranks).count(rank);
  const auto blocks = std::ssize(maximal_blocks(layout.first_shard(rank), layout.last_shard(rank), layout.shards()));
  return static_cast<std::int64_t>(sizeof(double)) * (blocks * (width - columns) + columns * (ranks - 1));
}

double shard_sum_seconds(const Interconnect& network, std::int64_t ranks, std::int64_t bytes) {
  // Messages of the first half are short and go out one after the other; the second half doubles what each knows.
  return (static_cast<double>(ranks - 1) + rounds(ranks)) * network.latency +
         static_cast<double>(bytes) / network.bytes_per_second;
}

}  // namespace cohort
