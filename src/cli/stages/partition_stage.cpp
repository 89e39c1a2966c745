#include <optional>

#include "cli/output/logging.hpp"
#include "cli/output/partition_report.hpp"
#include "cli/output/report.hpp"
#include "cli/output/work_progress.hpp"
#include "cli/stages/pipeline.hpp"
#include "comm/reblock.hpp"
#include "core/interruption.hpp"
#include "core/memory.hpp"
#include "core/stopwatch.hpp"
#include "graph/user_graph.hpp"

namespace cohort {

namespace {

// Of the adjacency, about, as METIS says nothing of how far it is: 4 million took 3.5 s here, 40 million 71 s.
constexpr double metis_entries_a_second = 1e6;

}  // namespace

BlockGraph graph_of(const Session& session, const Dataset& dataset) {
  auto blocks = block_graph(session.comm(), dataset, session.config().graph);
  // Its shards come next, which are as large again.
  release_freed_memory();
  return blocks;
}

PartitionStats partition_graph(const Session& session, const BlockGraph& blocks, GraphFile& graph) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const Stopwatch stopwatch;
  spdlog::info("partition: {} by {}", counted(blocks.nodes(), "node"), word_of(config.partition.tool));
  comm.stop_if_interrupted();
  auto result = [&] {
    const auto expected = static_cast<double>(comm.sum(std::ssize(blocks.column))) / metis_entries_a_second;
    std::optional<WaitingProgress> waiting;
    if (config.partition.tool == PartitionTool::metis) waiting.emplace(comm, "partition", expected);
    const Abandonable until_cut;  // METIS cannot look at the flag, and the other ranks wait for it
    return partition(comm, blocks, config.partition, static_cast<std::uint64_t>(config.train.seed));
  }();
  graph.partition = StoredPartition{reblock(comm, std::span<const std::int32_t>(result.shard_of), blocks.distribution,
                                            Distribution::even(blocks.nodes(), comm.size())),
                                    result.stats.shard_cost};
  graph.history.timing["partition"] = comm.all_gather(stopwatch.seconds());
  log_partition(result.stats);
  spdlog::info("partition: {:.1f} s", stopwatch.seconds());
  return result.stats;
}

ShardedGraph shard_graph(const Communicator& comm, const BlockGraph& blocks, const StoredPartition& partition) {
  const Stopwatch stopwatch;
  const auto shard_of = reblock(comm, std::span<const std::int32_t>(partition.shard_of),
                                Distribution::even(blocks.nodes(), comm.size()), blocks.distribution);
  auto sharded = distribute(comm, blocks, shard_of, cut_points(partition.shard_cost, comm.size()));
  spdlog::debug("shards to their ranks: {:.1f} s", stopwatch.seconds());
  return sharded;
}

}  // namespace cohort
