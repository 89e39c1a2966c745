// The bipartite graph of a data set, against one made entry by entry.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "support/pair_tables.hpp"
#include "support/small_graphs.hpp"

namespace cohort {
namespace {

using testing_support::Pairs;
using testing_support::SmallGraph;
using testing_support::table_of;

struct Input {
  std::int64_t users = 0;
  std::int64_t items = 0;
  Pairs interactions;
  Pairs social;  // both directions

  Dataset dataset(const Communicator& comm) const {
    Dataset result;
    result.users.distribution = Distribution::even(users, comm.size());
    result.items.distribution = Distribution::even(items, comm.size());
    const auto first = result.users.distribution.begin(comm.rank());
    const auto last = result.users.distribution.end(comm.rank());
    if (!interactions.empty()) result.interactions = table_of(interactions, first, last);
    if (!social.empty()) result.social = table_of(social, first, last);
    return result;
  }
};

Input random_input(std::int64_t users, std::int64_t items, std::int64_t interactions, std::int64_t friendships) {
  Input input{users, items, {}, {}};
  std::mt19937 random(5);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  for (std::int64_t i = 0; i < interactions; ++i) {
    input.interactions[{below(users), below(items)}] = 0.5F * static_cast<float>(below(7));
  }
  for (std::int64_t i = 0; i < friendships; ++i) {
    const auto a = below(users);
    const auto b = below(users);
    if (a == b) continue;
    const auto weight = static_cast<float>(1 + below(3));
    input.social[{a, b}] = weight;
    input.social[{b, a}] = weight;
  }
  return input;
}

float weighted(EdgeWeighting scheme, float weight) {
  if (scheme == EdgeWeighting::binary) return 1.0F;
  return scheme == EdgeWeighting::raw ? weight : static_cast<float>(std::log1p(static_cast<double>(weight)));
}

SmallGraph expected(const Input& input, const GraphConfig& options) {
  SmallGraph graph{"", input.users, input.users + input.items, {}};
  for (const auto& [pair, weight] : input.interactions) {
    const auto value = weighted(options.weight, weight);
    if (value > 0) graph.edge(pair.first, input.users + pair.second, value);
  }
  for (const auto& [pair, weight] : input.social) {
    const auto value = static_cast<float>(options.social_weight * static_cast<double>(weight));
    if (value > 0) graph.edge(pair.first, pair.second, value);
  }
  return graph;
}

// A node belongs to the rank in whose share of all nodes and entries its own begin.
Distribution naive_blocks(const SmallGraph& graph, int ranks) {
  std::vector<std::int64_t> before(graph.nodes + 1, 0);
  for (const auto& [place, weight] : graph.entries) ++before[place.first + 1];
  for (std::size_t n = 1; n < before.size(); ++n) before[n] += before[n - 1] + 1;
  std::vector<std::int64_t> begin(ranks + 1, graph.nodes);
  for (auto node = graph.nodes - 1; node >= 0; --node) {
    for (std::int64_t r = 0; r <= before[node] * ranks / before.back(); ++r) {
      begin[r] = node;
    }
  }
  return Distribution(std::move(begin));
}

TEST(BlockGraph, IsTheDataSetEntryByEntry) {
  const auto comm = Communicator::world();
  for (const auto& input : {random_input(23, 17, 120, 0), random_input(23, 17, 90, 40), random_input(19, 0, 0, 30),
                            random_input(40, 2, 25, 0), random_input(2, 1, 2, 0), Input{3, 3, {}, {}}}) {
    for (const auto weight : {EdgeWeighting::binary, EdgeWeighting::log, EdgeWeighting::raw}) {
      for (const double social_weight : {1.0, 0.3, 0.0}) {
        GraphConfig options;
        options.weight = weight;
        options.social_weight = social_weight;
        const auto graph = bipartite_graph(comm, input.dataset(comm), options);
        const auto whole = expected(input, options);
        const auto blocks = naive_blocks(whole, comm.size());
        const auto reference = whole.block(comm, blocks);
        EXPECT_EQ(graph.users, input.users);
        EXPECT_EQ(graph.nodes(), input.users + input.items);
        for (int r = 0; r < comm.size(); ++r) EXPECT_EQ(graph.distribution.begin(r), blocks.begin(r));
        EXPECT_EQ(graph.row_begin, reference.row_begin);
        EXPECT_EQ(graph.column, reference.column);
        EXPECT_EQ(graph.weight, reference.weight);
      }
    }
  }
}

TEST(BlockGraph, AWeightBeyondFloatIsTheUsersError) {
  const auto comm = Communicator::world();
  auto input = random_input(9, 4, 20, 6);
  input.social[{7, 8}] = std::numeric_limits<float>::max();
  input.social[{8, 7}] = std::numeric_limits<float>::max();
  GraphConfig options;
  options.social_weight = 4;
  EXPECT_THROW(bipartite_graph(comm, input.dataset(comm), options), InputError);
}

}  // namespace
}  // namespace cohort
