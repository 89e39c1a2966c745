// The segments of items against plain sums over the whole graph, which every rank knows.
#include "items/node_segments.hpp"

#include <gtest/gtest.h>

#include "support/small_graphs.hpp"

namespace cohort {
namespace {

// Of the dense graph; weights are multiples of 1/4, so that sums are exact and tie.
std::vector<std::int32_t> plain_segments(const testing_support::SmallGraph& graph,
                                         const std::vector<std::int32_t>& of_user, std::int64_t count) {
  auto result = of_user;
  for (auto item = graph.users; item < graph.nodes; ++item) {
    std::vector<double> weight(count, 0.0);
    for (std::int64_t user = 0; user < graph.users; ++user) {
      const auto entry = graph.entries.find({item, user});
      if (entry == graph.entries.end()) continue;
      weight[of_user[user]] += static_cast<double>(entry->second);
    }
    const auto heaviest = std::ranges::max_element(weight);  // the first of equals
    result.push_back(*heaviest > 0 ? static_cast<std::int32_t>(heaviest - weight.begin()) : -1);
  }
  return result;
}

TEST(NodeSegments, AreThoseOfMostWeight) {
  const auto comm = Communicator::world();
  for (const auto& [users, items, edges] :
       std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>>{{40, 25, 50}, {3, 60, 50}, {30, 1, 9}}) {
    auto graph = testing_support::random_bipartite(users, items, edges, 5);
    graph.edge(0, 1);  // a friendship, which says nothing of items
    for (const std::int64_t count : {1, 3, 7}) {
      std::vector<std::int32_t> of_user;
      for (std::int64_t u = 0; u < users; ++u) of_user.push_back(static_cast<std::int32_t>(u * u % count));
      const auto expected = plain_segments(graph, of_user, count);
      const auto block = graph.block(comm);
      // Users evenly, and all of them on the last rank.
      std::vector<std::int64_t> last(comm.size(), 0);
      last.push_back(users);
      for (const auto& blocks : {Distribution::even(users, comm.size()), Distribution(last)}) {
        const auto mine =
            std::span<const std::int32_t>(of_user).subspan(blocks.begin(comm.rank()), blocks.count(comm.rank()));
        const auto found = node_segments(comm, block, blocks, mine, count);
        EXPECT_EQ(comm.all_gather(std::span<const std::int32_t>(found)).data, expected);
      }
    }
    EXPECT_TRUE(users != 40 || std::ranges::count(plain_segments(graph, std::vector<std::int32_t>(40, 0), 1), -1) > 0)
        << "one of the items should have no edge";
  }
}

}  // namespace
}  // namespace cohort
