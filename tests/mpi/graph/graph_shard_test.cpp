// The sharded graph against the dense D^-1/2 A D^-1/2, its halo, and the ways between shards and blocks. What is
// compared with does not depend on the number of ranks, and the comparison is exact.
#include <gtest/gtest.h>

#include <set>

#include "graph/node_route.hpp"
#include "graph/shard_graph.hpp"
#include "support/small_graphs.hpp"

namespace cohort {
namespace {

using testing_support::SmallGraph;

struct Assignment {
  std::string name;
  std::vector<std::int32_t> shard_of;  // all nodes
  std::int32_t shards = 0;
};

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  return {path(20),
          circle(31),
          star(25),
          isolated(9),
          path(2),
          random_bipartite(40, 25, 200, 1),
          planted(60, 4, 300, 0.1, 2)};
}

// Shard 2 is empty in the first; in the second all nodes are in the last shard, so that ranks own nothing.
std::vector<Assignment> assignments(std::int64_t nodes) {
  std::vector<Assignment> result{{"random", {}, 6}, {"one", {}, 5}, {"blocks", {}, 4}};
  std::mt19937 random(7);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const auto shard = static_cast<std::int32_t>(random() % 6);
    result[0].shard_of.push_back(shard == 2 ? 3 : shard);
    result[1].shard_of.push_back(4);
    result[2].shard_of.push_back(static_cast<std::int32_t>(i * 4 / nodes));
  }
  return result;
}

std::span<const std::int32_t> block_of(const Assignment& assignment, const BlockGraph& blocks, int rank) {
  return std::span<const std::int32_t>(assignment.shard_of)
      .subspan(blocks.distribution.begin(rank), blocks.distribution.count(rank));
}

std::vector<std::int64_t> positions_of(const Assignment& assignment) {
  std::vector<std::int64_t> order(assignment.shard_of.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](auto node) { return assignment.shard_of[node]; });
  std::vector<std::int64_t> position(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    position[order[i]] = static_cast<std::int64_t>(i);
  }
  return position;
}

// Calls check(graph, assignment, blocks, sharded) for every graph, assignment and cut over the ranks.
template <class Check>
void for_each_case(const Communicator& comm, Check check) {
  for (const auto& graph : graphs()) {
    for (const auto& assignment : assignments(graph.nodes)) {
      // Even cuts, and all shards on the last rank.
      std::vector<std::int64_t> last(comm.size() + 1, 0);
      last.back() = assignment.shards;
      for (const auto& cuts : {Distribution::even(assignment.shards, comm.size()), Distribution(last)}) {
        SCOPED_TRACE(graph.name + " " + assignment.name);
        const auto blocks = graph.block(comm);
        check(graph, assignment, blocks, distribute(comm, blocks, block_of(assignment, blocks, comm.rank()), cuts));
      }
    }
  }
}

TEST(ShardGraph, IsTheDenseNormalisedAdjacency) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const SmallGraph& small, const Assignment& assignment, const BlockGraph& blocks,
                          const ShardedGraph& sharded) {
    const auto& graph = sharded.graph;
    const auto position = positions_of(assignment);
    const auto reference = small.normalised();
    EXPECT_EQ(graph.users, small.users);
    EXPECT_EQ(graph.users + graph.items, small.nodes);
    const auto first = graph.positions.begin(comm.rank());
    ASSERT_EQ(graph.owned(), graph.positions.count(comm.rank()));
    ASSERT_EQ(graph.positions.total(), small.nodes);
    ASSERT_EQ(std::ssize(graph.node), graph.local_rows());
    for (std::int64_t row = 0; row < graph.local_rows(); ++row) {
      const auto at = row < graph.owned() ? first + row : graph.ghost[row - graph.owned()].value;
      ASSERT_EQ(position[graph.node[row].value], at);
    }
    // A row in the order of its neighbours' positions.
    std::vector<LocalRow> column;
    std::vector<float> value;
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto node = graph.node[row].value;
      std::map<std::int64_t, float> by_position;
      for (auto entry = reference.lower_bound({node, 0}); entry != reference.end() && entry->first.first == node;
           ++entry) {
        by_position[position[entry->first.second]] = entry->second;
      }
      for (const auto& [at, weight] : by_position) {
        const bool own = at >= first && at < first + graph.owned();
        const auto ghost = std::ranges::lower_bound(graph.ghost, Position{at}) - graph.ghost.begin();
        column.emplace_back(static_cast<std::int32_t>(own ? at - first : graph.owned() + ghost));
        value.push_back(weight);
      }
      ASSERT_EQ(graph.adjacency.row_begin[row + 1], std::ssize(column));
    }
    EXPECT_EQ(graph.adjacency.column, column);
    EXPECT_EQ(graph.adjacency.value, value);
    // Nothing is a ghost that no row reads.
    std::set<std::int32_t> read;
    for (const auto c : column) {
      if (c.value >= graph.owned()) read.insert(c.value);
    }
    EXPECT_EQ(std::ssize(read), std::ssize(graph.ghost));
    EXPECT_TRUE(std::ranges::is_sorted(graph.ghost));
    for (std::size_t i = 0; i < sharded.directory.position.size(); ++i) {
      const auto node = static_cast<std::size_t>(blocks.distribution.begin(comm.rank())) + i;
      EXPECT_EQ(sharded.directory.position[i].value, position[node]);
    }
  });
}

TEST(ShardGraph, InteriorAndBoundaryDivideEveryShard) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const SmallGraph&, const Assignment&, const BlockGraph&, const ShardedGraph& sharded) {
    const auto& graph = sharded.graph;
    const auto shards = graph.layout.shards_of_rank.count(comm.rank());
    ASSERT_EQ(std::ssize(graph.interior_begin), shards + 1);
    ASSERT_EQ(std::ssize(graph.boundary_begin), shards + 1);
    for (std::int32_t k = 0; k < shards; ++k) {
      const auto s = static_cast<std::size_t>(k);
      auto inside = graph.interior_begin[s];
      auto edge = graph.boundary_begin[s];
      for (auto row = graph.shard_first_row(comm.rank(), k); row < graph.shard_first_row(comm.rank(), k + 1); ++row) {
        const auto r = static_cast<std::size_t>(row);
        const bool waits = std::any_of(graph.adjacency.column.begin() + graph.adjacency.row_begin[r],
                                       graph.adjacency.column.begin() + graph.adjacency.row_begin[r + 1],
                                       [&](LocalRow column) { return column.value >= graph.owned(); });
        const auto& list = waits ? graph.boundary : graph.interior;
        ASSERT_EQ(list[waits ? edge++ : inside++].value, row);
      }
      ASSERT_EQ(inside, graph.interior_begin[s + 1]);
      ASSERT_EQ(edge, graph.boundary_begin[s + 1]);
    }
    EXPECT_EQ(std::ssize(graph.interior) + std::ssize(graph.boundary), graph.owned());
  });
}

TEST(ShardGraph, HaloBringsTheRowsOfTheGhosts) {
  const auto comm = Communicator::world();
  constexpr std::int64_t columns = 10;
  RowExchange exchange(comm, columns);
  for_each_case(comm, [&](const SmallGraph&, const Assignment&, const BlockGraph&, const ShardedGraph& sharded) {
    const auto& graph = sharded.graph;
    Matrix rows(graph.local_rows(), columns);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      for (std::int64_t j = 0; j < columns; ++j) {
        rows.row(row)[j] = static_cast<float>(graph.node[row].value * 100 + j);
      }
    }
    exchange.start(graph.halo, rows.view(), rows.row(graph.owned()));
    exchange.finish();
    for (std::int64_t row = graph.owned(); row < graph.local_rows(); ++row) {
      for (std::int64_t j = 0; j < columns; ++j) {
        ASSERT_EQ(rows.row(row)[j], static_cast<float>(graph.node[row].value * 100 + j));
      }
    }
    // The backward pass goes by the same plan, since A-hat is symmetric: whom a rank sends to it hears from, and it
    // sends just the rows that wait for ghosts.
    EXPECT_EQ(graph.halo.send_to, graph.halo.receive_from);
    EXPECT_EQ(graph.halo.received_rows(), std::ssize(graph.ghost));
    const std::set<std::int32_t> sent(graph.halo.send_rows.begin(), graph.halo.send_rows.end());
    std::set<std::int32_t> boundary;
    for (const auto row : graph.boundary) boundary.insert(row.value);
    EXPECT_EQ(sent, boundary);
  });
}

TEST(ShardGraph, SomeRanksHaveGhostsAndSomeNone) {
  const auto comm = Communicator::world();
  const auto graph = testing_support::circle(24);
  const auto blocks = graph.block(comm);
  const Assignment by_block{"", assignments(24)[2].shard_of, 4};
  const auto near =
      distribute(comm, blocks, block_of(by_block, blocks, comm.rank()), Distribution::even(4, comm.size()));
  EXPECT_EQ(std::ssize(near.graph.ghost), comm.size() == 1 ? 0 : 2);
  std::vector<std::int64_t> first_rank(comm.size() + 1, 4);
  first_rank.front() = 0;
  const auto alone = distribute(comm, blocks, block_of(by_block, blocks, comm.rank()), Distribution(first_rank));
  EXPECT_EQ(alone.graph.local_rows(), comm.is_root() ? 24 : 0);
}

TEST(ShardGraph, IsRefusedWhereTheGraphIsNotSymmetric) {
  const auto comm = Communicator::world();
  const auto refused = [&](const SmallGraph& graph) {
    const auto blocks = graph.block(comm);
    const std::vector<std::int32_t> shard_of(blocks.rows(), 0);
    std::vector<std::int64_t> cuts(comm.size() + 1, 1);
    cuts.front() = 0;
    EXPECT_THROW(distribute(comm, blocks, shard_of, Distribution(cuts)), InternalError);
  };
  auto graph = testing_support::circle(24);
  graph.entries.erase({5, 4});
  refused(graph);
  graph = testing_support::circle(24);
  graph.entries[{5, 4}] += 1;
  refused(graph);
  // As many one way as the other, between the same nodes.
  graph = testing_support::circle(24);
  graph.entries.erase({5, 4});
  graph.entries[{5, 6}] = 2;
  graph.entries[{4, 6}] = 1;
  refused(graph);
}

TEST(NodeDirectory, FindsEveryNodeAsOftenAsAsked) {
  const auto comm = Communicator::world();
  for_each_case(
      comm, [&](const SmallGraph& small, const Assignment& assignment, const BlockGraph&, const ShardedGraph& sharded) {
        const auto position = positions_of(assignment);
        std::mt19937 random(static_cast<unsigned>(comm.rank()));
        std::vector<NodeId> wanted;
        // The last rank asks for nothing.
        for (int i = 0; i < (comm.rank() + 1 < comm.size() ? 50 : 0); ++i) {
          wanted.emplace_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(small.nodes)));
        }
        const auto found = sharded.directory.lookup(comm, wanted);
        ASSERT_EQ(found.size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          EXPECT_EQ(found[i].value, position[wanted[i].value]);
        }
      });
}

TEST(Reorder, BetweenShardsAndBlocksAndBack) {
  const auto comm = Communicator::world();
  constexpr std::int64_t columns = 5;
  for_each_case(comm, [&](const SmallGraph& small, const Assignment&, const BlockGraph&, const ShardedGraph& sharded) {
    const auto& graph = sharded.graph;
    for (const auto total : {small.nodes, small.users}) {
      const auto blocks = Distribution::even(total, comm.size());
      Matrix owned(graph.owned(), columns);
      std::vector<std::int64_t> number;
      for (std::int64_t row = 0; row < graph.owned(); ++row) {
        number.push_back(graph.node[row].value);
        for (std::int64_t j = 0; j < columns; ++j) owned.row(row)[j] = static_cast<float>(number.back() * 10 + j);
      }
      const auto by_node = to_blocks(comm, graph, owned.view(), blocks);
      const auto numbers = to_blocks(comm, graph, std::span<const std::int64_t>(number), blocks);
      ASSERT_EQ(by_node.rows(), blocks.count(comm.rank()));
      for (std::int64_t i = 0; i < by_node.rows(); ++i) {
        const auto node = blocks.begin(comm.rank()) + i;
        ASSERT_EQ(numbers[i], node);
        for (std::int64_t j = 0; j < columns; ++j) ASSERT_EQ(by_node.row(i)[j], static_cast<float>(node * 10 + j));
      }
      const auto again = to_shards(comm, graph, by_node.view(), blocks);
      const auto numbers_again = to_shards(comm, graph, std::span<const std::int64_t>(numbers), blocks);
      ASSERT_EQ(again.rows(), graph.owned());
      for (std::int64_t row = 0; row < graph.owned(); ++row) {
        const bool covered = number[row] < total;
        EXPECT_EQ(numbers_again[row], covered ? number[row] : 0);
        for (std::int64_t j = 0; j < columns; ++j) EXPECT_EQ(again.row(row)[j], covered ? owned.row(row)[j] : 0.0F);
      }
    }
  });
}

}  // namespace
}  // namespace cohort
