#include "partition/quality.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/ragged.hpp"

namespace cohort {

namespace {

// part_of_shard: the part that each shard belongs to.
CutQuality measure(const Communicator& comm, const BlockGraph& blocks, const BlockShards& assignment,
                   std::span<const std::int32_t> part_of_shard, std::int32_t parts) {
  const auto part_count = static_cast<std::size_t>(parts);
  std::vector<std::int64_t> counts(3 * part_count + 1, 0);
  const auto nodes = std::span(counts).first(part_count);
  const auto entries = std::span(counts).subspan(part_count, part_count);
  const auto ghosts = std::span(counts).subspan(2 * part_count, part_count);
  auto& cut_entries = counts.back();
  // Since the graph is symmetric, a node is a ghost of every other part that holds a neighbour of it.
  std::vector<std::int64_t> last_seen(part_count, -1);
  for (std::size_t row = 0; row < assignment.of_row.size(); ++row) {
    const auto own = static_cast<std::size_t>(part_of_shard[assignment.of_row[row]]);
    ++nodes[own];
    entries[own] += places_of(blocks.row_begin, row).size();
    for (const auto k : places_of(blocks.row_begin, row)) {
      const auto shard = static_cast<std::size_t>(assignment.of_entry[k]);
      const auto other = static_cast<std::size_t>(part_of_shard[shard]);
      if (other == own) continue;
      ++cut_entries;
      if (std::exchange(last_seen[other], static_cast<std::int64_t>(row)) != static_cast<std::int64_t>(row)) {
        ++ghosts[other];
      }
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(counts));

  CutQuality quality;
  quality.parts = parts;
  quality.cut_edges = cut_entries / 2;
  const auto all_nodes = std::accumulate(nodes.begin(), nodes.end(), std::int64_t{0});
  const auto all_entries = std::accumulate(entries.begin(), entries.end(), std::int64_t{0});
  quality.communication_volume = std::accumulate(ghosts.begin(), ghosts.end(), std::int64_t{0});
  const auto share = [](std::int64_t of, std::int64_t all, double otherwise) {
    return all > 0 ? static_cast<double>(of) / static_cast<double>(all) : otherwise;
  };
  quality.cut_share = share(cut_entries, all_entries, 0);
  quality.ghosts_per_node = share(quality.communication_volume, all_nodes, 0);
  quality.node_balance = share(std::ranges::max(nodes) * parts, all_nodes, 1);
  quality.entry_balance = share(std::ranges::max(entries) * parts, all_entries, 1);
  for (std::size_t part = 0; part < part_count; ++part) {
    if (nodes[part] == 0) ++quality.empty_parts;
    quality.worst_ghost_ratio = std::max(quality.worst_ghost_ratio, share(ghosts[part], nodes[part], 0));
  }
  return quality;
}

}  // namespace

PartitionQuality measure_partition(const Communicator& comm, const BlockGraph& blocks, const BlockShards& assignment,
                                   const Distribution& shards_of_rank) {
  COHORT_CHECK(shards_of_rank.total() == assignment.shards);
  PartitionQuality quality;
  quality.nodes = blocks.nodes();
  quality.edges = comm.sum(static_cast<std::int64_t>(blocks.column.size())) / 2;
  std::vector<std::int32_t> part(assignment.shards);
  std::iota(part.begin(), part.end(), 0);
  quality.by_shard = measure(comm, blocks, assignment, part, assignment.shards);
  for (auto& rank : part) rank = shards_of_rank.owner(rank);
  quality.by_rank = measure(comm, blocks, assignment, part, shards_of_rank.ranks());
  return quality;
}

PartitionQuality measure_partition(const Communicator& comm, const BlockGraph& blocks,
                                   std::span<const std::int32_t> shard_of, const Distribution& shards_of_rank) {
  const auto shards = static_cast<std::int32_t>(shards_of_rank.total());
  return measure_partition(comm, blocks, shards_of_entries(comm, blocks, shard_of, shards), shards_of_rank);
}

}  // namespace cohort
