#include "partition/partition.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "comm/cost_blocks.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "core/stopwatch.hpp"
#include "partition/metis_cut.hpp"
#include "partition/part_file.hpp"
#include "partition/shard_numbering.hpp"

namespace cohort {

namespace {

constexpr std::int64_t metis_needs_nodes_per_shard = 10;

std::vector<std::int32_t> random_assignment(const Distribution& nodes, int rank, std::int32_t shards,
                                            std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::partition_baseline);
  std::vector<std::int32_t> shard_of;
  shard_of.reserve(nodes.count(rank));
  for (auto node = nodes.begin(rank); node < nodes.end(rank); ++node) {
    shard_of.push_back(
        static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(shards), static_cast<std::uint64_t>(node))));
  }
  return shard_of;
}

// Every shard gets one block of the users and one of the items, each of about even cost: as level in nodes as in
// entries, while a shard of items alone has few nodes with many entries.
std::vector<std::int32_t> block_assignment(const Communicator& comm, const BlockGraph& blocks, std::int32_t shards) {
  const auto& nodes = blocks.distribution;
  const auto first = nodes.begin(comm.rank());
  std::vector<std::int64_t> cost;
  comm.attempt([&] {
    for (std::size_t row = 0; std::cmp_less(row, blocks.rows()); ++row) {
      cost.push_back(1 + places_of(blocks.row_begin, row).size());
    }
  });
  const std::span<const std::int64_t> all(cost);
  const auto users_here = static_cast<std::size_t>(std::clamp<std::int64_t>(blocks.users - first, 0, blocks.rows()));
  const auto user_blocks = cost_blocks(comm, {all.first(users_here)}, shards);
  const auto item_blocks = cost_blocks(comm, {all.subspan(users_here)}, shards);
  std::vector<std::int32_t> shard_of;
  comm.attempt([&] {
    for (auto node = first; node < nodes.end(comm.rank()); ++node) {
      shard_of.push_back(node < blocks.users ? user_blocks.owner(node) : item_blocks.owner(node - blocks.users));
    }
  });
  return shard_of;
}

// Every rank keeps lists of all shards, empty ones too.
void refuse_empty_shards(std::int64_t shards, std::int64_t nodes, const std::string& who) {
  constexpr std::int64_t always_allowed = 65'536;
  const auto most = std::max(nodes, always_allowed);
  if (shards <= most) return;
  throw InputError(who + " " + std::to_string(shards) + " shards, but the graph has only " + std::to_string(nodes) +
                   " nodes; ask for at most " + std::to_string(most));
}

// Fills shard_of, shards, and the tool that was used.
void assign(const Communicator& comm, const BlockGraph& blocks, const PartitionConfig& options, std::uint64_t seed,
            PartitionResult& result) {
  auto& tool = result.stats.tool;
  tool = options.tool;
  if (tool == PartitionTool::file) {
    auto file = read_part_file(comm, options.file, blocks.distribution, options.shards);
    result.shard_of = std::move(file.part_of);
    result.shards = file.parts;
    need_shards(result.shards, comm.size());
    refuse_empty_shards(result.shards, blocks.nodes(), options.file + " names");
    return;
  }
  const auto shards = options.shards > 0 ? options.shards : automatic_shards(blocks.nodes());
  result.shards = static_cast<std::int32_t>(shards);
  need_shards(shards, comm.size());
  refuse_empty_shards(shards, blocks.nodes(), "partition.shards asks for");
  if (tool == PartitionTool::metis && (shards == 1 || blocks.nodes() < metis_needs_nodes_per_shard * shards ||
                                       comm.sum(std::ssize(blocks.column)) == 0)) {
    tool = PartitionTool::block;
  }
  if (tool == PartitionTool::metis) {
    result.stats.objective = options.objective;
    result.shard_of = metis_cut(comm, blocks, shards, options.objective, seed);
  } else if (tool == PartitionTool::random) {
    result.shard_of = random_assignment(blocks.distribution, comm.rank(), result.shards, seed);
  } else {
    result.shard_of = block_assignment(comm, blocks, result.shards);
  }
}

// New numbers of the shards, on all ranks.
std::vector<std::int32_t> agree_on_numbers(const Communicator& comm, const BlockGraph& blocks,
                                           const BlockShards& assignment, std::span<const std::int64_t> cost,
                                           std::uint64_t seed) {
  const auto quotient = quotient_graph(comm, blocks, assignment);
  std::vector<std::int32_t> number;
  comm.attempt([&] {
    if (comm.is_root()) number = number_shards(quotient, cost, seed);
  });
  comm.broadcast(number);
  return number;
}

}  // namespace

std::int64_t automatic_shards(std::int64_t nodes) {
  constexpr std::uint64_t nodes_per_shard = 4096;
  const auto wanted = (static_cast<std::uint64_t>(nodes) + nodes_per_shard - 1) / nodes_per_shard;
  return std::max<std::int64_t>(64, static_cast<std::int64_t>(std::bit_ceil(wanted)));
}

PartitionResult partition(const Communicator& comm, const BlockGraph& blocks, const PartitionConfig& options,
                          std::uint64_t seed) {
  PartitionResult result;
  auto& stats = result.stats;
  const Stopwatch cutting;
  assign(comm, blocks, options, seed, result);
  stats.cut_seconds = cutting.seconds();

  const Stopwatch numbering;
  auto assignment = shards_of_entries(comm, blocks, result.shard_of, result.shards);
  stats.shard_cost.resize(result.shards);
  {
    const auto cost = shard_costs(comm, blocks, assignment);
    const auto number = agree_on_numbers(comm, blocks, assignment, cost, seed);
    assignment.renumber(number);
    for (std::size_t s = 0; s < cost.size(); ++s) stats.shard_cost[number[s]] = cost[s];
  }
  stats.numbering_seconds = numbering.seconds();

  const Stopwatch measuring;
  stats.quality = measure_partition(comm, blocks, assignment, cut_points(stats.shard_cost, comm.size()));
  stats.quality_seconds = measuring.seconds();
  result.shard_of = std::move(assignment.of_row);
  return result;
}

}  // namespace cohort
