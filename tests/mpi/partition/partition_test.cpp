// The stage `partition` against the same steps made naively on the whole graph: the same shards at every number of
// ranks, the quality counted node by node, .part files, and the errors that all ranks must share.
#include "partition/partition.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "partition/metis_cut.hpp"
#include "partition/part_file.hpp"
#include "partition/quotient_graph.hpp"
#include "partition/shard_numbering.hpp"
#include "support/small_graphs.hpp"

namespace cohort {
namespace {

using testing_support::SmallGraph;

constexpr std::uint64_t seed = 11;

std::vector<std::int32_t> whole(const Communicator& comm, std::span<const std::int32_t> shard_of) {
  return comm.all_gather(shard_of).data;
}

QuotientGraph naive_quotient(const SmallGraph& graph, const std::vector<std::int32_t>& shard_of, std::int32_t shards) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> edges;
  for (const auto& [place, weight] : graph.entries) {
    const auto from = shard_of[place.first];
    const auto to = shard_of[place.second];
    if (from != to) ++edges[{from, to}];
  }
  QuotientGraph quotient;
  for (std::int32_t s = 0; s < shards; ++s) {
    for (auto pair = edges.lower_bound({s, 0}); pair != edges.end() && pair->first.first == s; ++pair) {
      quotient.column.push_back(pair->first.second);
      quotient.weight.push_back(pair->second);
    }
    quotient.row_begin.push_back(std::ssize(quotient.column));
  }
  return quotient;
}

std::vector<std::int64_t> naive_cost(const SmallGraph& graph, const std::vector<std::int32_t>& shard_of,
                                     std::int32_t shards) {
  std::vector<std::int64_t> cost(shards, 0);
  for (const auto shard : shard_of) ++cost[shard];
  for (const auto& [place, weight] : graph.entries) {
    ++cost[shard_of[place.first]];
  }
  return cost;
}

std::vector<std::int32_t> naive_partition(const SmallGraph& graph, std::int32_t shards, CutObjective objective) {
  MetisGraph metis;
  std::vector<std::int64_t> weight;
  for (const auto& [place, value] : graph.entries) metis.column.push_back(static_cast<idx_t>(place.second));
  for (std::int64_t node = 0; node < graph.nodes; ++node) {
    const auto degree = std::distance(graph.entries.lower_bound({node, 0}), graph.entries.lower_bound({node + 1, 0}));
    metis.row_begin.push_back(metis.row_begin.back() + static_cast<idx_t>(degree));
    weight.push_back(1 + degree);
  }
  metis.node_weight = metis_weights(weight, 1.0 / shards);
  const auto part = metis_kway(metis, shards, objective, seed);
  std::vector<std::int32_t> shard_of(part.begin(), part.end());
  const auto number = number_shards(naive_quotient(graph, shard_of, shards), naive_cost(graph, shard_of, shards), seed);
  for (auto& shard : shard_of) shard = number[shard];
  return shard_of;
}

PartitionConfig options(std::int64_t shards, PartitionTool tool) {
  PartitionConfig result;
  result.shards = shards;
  result.tool = tool;
  return result;
}

TEST(Partition, IsTheSameAsOnTheWholeGraph) {
  const auto comm = Communicator::world();
  for (const auto& graph : {testing_support::planted(1200, 12, 9000, 0.05, 1),
                            testing_support::random_bipartite(500, 300, 4000, 2), testing_support::circle(400)}) {
    for (const auto objective : {CutObjective::cut, CutObjective::volume}) {
      auto config = options(24, PartitionTool::metis);
      config.objective = objective;
      const auto result = partition(comm, graph.block(comm), config, seed);
      EXPECT_EQ(result.shards, 24);
      EXPECT_EQ(result.stats.tool, PartitionTool::metis);
      const auto reference = naive_partition(graph, 24, objective);
      EXPECT_EQ(whole(comm, result.shard_of), reference) << graph.name << " " << word_of(objective);
      EXPECT_EQ(result.stats.shard_cost, naive_cost(graph, reference, 24));
    }
  }
}

TEST(Partition, MetisFindsPlantedCommunities) {
  const auto comm = Communicator::world();
  const auto graph = testing_support::planted(1600, 16, 16000, 0.05, 3);
  const auto blocks = graph.block(comm);
  const auto metis = partition(comm, blocks, options(16, PartitionTool::metis), seed).stats.quality.by_shard;
  const auto random = partition(comm, blocks, options(16, PartitionTool::random), seed).stats.quality.by_shard;
  EXPECT_LT(metis.cut_share, 0.15);
  EXPECT_GT(random.cut_share, 0.9);
  EXPECT_LT(metis.communication_volume, random.communication_volume / 3);
  EXPECT_LT(metis.entry_balance, 1.15);
}

TEST(Partition, QualityIsWhatCountingFinds) {
  const auto comm = Communicator::world();
  for (const auto& graph : {testing_support::planted(300, 6, 1500, 0.2, 4), testing_support::star(80),
                            testing_support::isolated(70), testing_support::path(5)}) {
    for (const auto tool : {PartitionTool::random, PartitionTool::block, PartitionTool::metis}) {
      SCOPED_TRACE(testing::Message() << graph.name << " " << word_of(tool));
      const auto blocks = graph.block(comm);
      const auto result = partition(comm, blocks, options(7, tool), seed);
      const auto shard_of = whole(comm, result.shard_of);
      const auto cuts = cut_points(result.stats.shard_cost, comm.size());
      const auto& quality = result.stats.quality;
      EXPECT_EQ(quality.nodes, graph.nodes);
      EXPECT_EQ(quality.edges, std::ssize(graph.entries) / 2);
      for (const bool by_rank : {false, true}) {
        const auto part_of = [&](std::int64_t node) {
          const auto shard = shard_of[node];
          return by_rank ? cuts.owner(shard) : shard;
        };
        const int parts = by_rank ? comm.size() : 7;
        std::int64_t cut = 0;
        std::vector<std::set<std::int64_t>> ghosts(parts);
        std::vector<std::int64_t> nodes(parts, 0);
        std::vector<std::int64_t> entries(parts, 0);
        for (std::int64_t node = 0; node < graph.nodes; ++node) ++nodes[part_of(node)];
        for (const auto& [place, weight] : graph.entries) {
          const auto own = static_cast<std::size_t>(part_of(place.first));
          ++entries[own];
          if (part_of(place.second) == part_of(place.first)) continue;
          ++cut;
          ghosts[own].insert(place.second);
        }
        std::int64_t volume = 0;
        double worst = 0;
        for (std::size_t p = 0; p < ghosts.size(); ++p) {
          volume += std::ssize(ghosts[p]);
          if (nodes[p] > 0)
            worst = std::max(worst, static_cast<double>(ghosts[p].size()) / static_cast<double>(nodes[p]));
        }
        const auto& found = by_rank ? quality.by_rank : quality.by_shard;
        EXPECT_EQ(found.parts, parts);
        EXPECT_EQ(found.empty_parts, std::ranges::count(nodes, 0));
        EXPECT_EQ(found.cut_edges, cut / 2);
        EXPECT_EQ(found.communication_volume, volume);
        EXPECT_DOUBLE_EQ(found.ghosts_per_node, static_cast<double>(volume) / static_cast<double>(graph.nodes));
        EXPECT_DOUBLE_EQ(found.worst_ghost_ratio, worst);
        EXPECT_DOUBLE_EQ(found.node_balance,
                         static_cast<double>(std::ranges::max(nodes) * parts) / static_cast<double>(graph.nodes));
        if (!graph.entries.empty()) {
          EXPECT_DOUBLE_EQ(found.entry_balance, static_cast<double>(std::ranges::max(entries) * parts) /
                                                    static_cast<double>(graph.entries.size()));
          EXPECT_DOUBLE_EQ(found.cut_share, static_cast<double>(cut) / static_cast<double>(graph.entries.size()));
        }
      }
    }
  }
}

TEST(Partition, SmallGraphsAreCutIntoBlocks) {
  const auto comm = Communicator::world();
  const auto graph = testing_support::random_bipartite(60, 40, 300, 5);
  const auto result = partition(comm, graph.block(comm), options(0, PartitionTool::metis), seed);
  EXPECT_EQ(result.shards, 64);
  EXPECT_EQ(result.stats.tool, PartitionTool::block);
  const auto shard_of = whole(comm, result.shard_of);
  // One block of the users and one of the items, by cost; the number of the block becomes that of the shard.
  std::map<std::int64_t, std::int32_t> number;
  std::map<std::int32_t, std::int64_t> block_of;
  for (const bool items : {false, true}) {
    const std::int64_t first = items ? graph.users : 0;
    std::vector<std::int64_t> before{0};
    for (auto node = first; node < (items ? graph.nodes : graph.users); ++node) {
      const auto degree = std::distance(graph.entries.lower_bound({node, 0}), graph.entries.lower_bound({node + 1, 0}));
      before.push_back(before.back() + 1 + degree);
    }
    for (std::size_t i = 0; i + 1 < before.size(); ++i) {
      const auto block = before[i] * 64 / before.back();
      const auto shard = shard_of[first + i];
      EXPECT_EQ(number.try_emplace(block, shard).first->second, shard);
      EXPECT_EQ(block_of.try_emplace(shard, block).first->second, block);
    }
  }
  if (comm.size() == 1) {
    const auto one = partition(comm, graph.block(comm), options(1, PartitionTool::metis), seed);
    EXPECT_EQ(whole(comm, one.shard_of), std::vector<std::int32_t>(100, 0));
  }
  EXPECT_EQ(automatic_shards(1), 64);
  EXPECT_EQ(automatic_shards(std::int64_t{64} * 4096), 64);
  EXPECT_EQ(automatic_shards(std::int64_t{64} * 4096 + 1), 128);
}

TEST(Partition, MoreRanksThanShardsIsTheUsersError) {
  const auto comm = Communicator::world();
  if (comm.size() == 1) return;
  const auto blocks = testing_support::circle(100).block(comm);
  for (const auto tool : {PartitionTool::metis, PartitionTool::random, PartitionTool::block}) {
    EXPECT_THROW(partition(comm, blocks, options(comm.size() - 1, tool), seed), InputError);
  }
}

class PartFiles : public testing::Test {
 protected:
  PartFiles() : path_(std::filesystem::temp_directory_path() / ("cohort_part_test_" + std::to_string(comm_.size()))) {}
  ~PartFiles() override {
    comm_.barrier();
    if (comm_.is_root()) std::filesystem::remove(path_);
  }
  void write(const std::string& text) {
    if (comm_.is_root()) std::ofstream(path_, std::ios::binary) << text;
    comm_.barrier();
  }
  /// The message of the error, which must be the same on all ranks.
  std::string refused(const Distribution& blocks, std::int64_t parts) {
    std::string message;
    try {
      read_part_file(comm_, path_, blocks, parts);
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_FALSE(message.empty());
    EXPECT_EQ(message, comm_.broadcast(message));
    return message;
  }

  Communicator comm_ = Communicator::world();
  std::string path_;
};

TEST_F(PartFiles, WrittenAndReadAgain) {
  const auto graph = testing_support::planted(200, 4, 900, 0.1, 6);
  const auto blocks = graph.block(comm_);
  const auto metis = partition(comm_, blocks, options(8, PartitionTool::metis), seed);
  write_part_file(comm_, path_, metis.shard_of);
  const auto file = read_part_file(comm_, path_, blocks.distribution, 0);
  EXPECT_EQ(file.part_of, metis.shard_of);
  EXPECT_EQ(file.parts, 8);
  // One part more than the file names: an empty shard, which is numbered last.
  auto config = options(9, PartitionTool::file);
  config.file = path_;
  const auto result = partition(comm_, blocks, config, seed);
  EXPECT_EQ(result.shards, 9);
  EXPECT_EQ(result.stats.tool, PartitionTool::file);
  EXPECT_EQ(result.stats.quality.by_shard.empty_parts, 1);
  EXPECT_EQ(result.stats.shard_cost.back(), 0);
  EXPECT_EQ(result.stats.quality.by_shard.cut_edges, metis.stats.quality.by_shard.cut_edges);
}

TEST_F(PartFiles, WhatIsNoPartFile) {
  const auto blocks = Distribution::even(3, comm_.size());
  write("0\r\n 2 \n1");
  EXPECT_EQ(read_part_file(comm_, path_, blocks, 0).parts, 3);
  write("0\n1\n");
  EXPECT_NE(refused(blocks, 0).find("2 lines"), std::string::npos);
  write("0\n1\n2\n1\n0\n");
  EXPECT_NE(refused(blocks, 0).find("5 lines"), std::string::npos);
  write("");
  EXPECT_NE(refused(blocks, 0).find("0 lines"), std::string::npos);
  write("0\nx\n2\n");
  EXPECT_NE(refused(blocks, 0).find(":2:"), std::string::npos);
  write("0\n1 1\n2\n");
  EXPECT_NE(refused(blocks, 0).find(":2:"), std::string::npos);
  write("0\n1\n-2\n");
  EXPECT_NE(refused(blocks, 0).find(":3:"), std::string::npos);
  write("0\n1\n2\n");
  EXPECT_NE(refused(blocks, 2).find("partition.shards = 2"), std::string::npos);
  path_ += "_missing";
  EXPECT_NE(refused(blocks, 0).find("cannot read"), std::string::npos);
  path_ = std::filesystem::temp_directory_path();
  EXPECT_NE(refused(blocks, 0).find("directory"), std::string::npos);
  path_ += "/cohort_none";
}

}  // namespace
}  // namespace cohort
