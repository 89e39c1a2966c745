// ItemCF against plain loops, at any number of ranks and cuts.
#include "evaluate/item_neighbours.hpp"

#include <gtest/gtest.h>

#include "support/item_neighbours_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(ItemNeighbours, ListsAreThoseOfPlainLoops) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    for (const std::int64_t neighbours : {3, 100}) {
      const auto scores = item_neighbours_scores(whole, neighbours);
      const auto near = item_neighbours(comm, block.interactions, block.item_blocks, neighbours);
      std::vector<std::int64_t> some;
      for (std::int64_t u = 0; u < std::ssize(block.segment); u += 2) some.push_back(u);
      std::vector<int> calls(block.segment.size(), 0);
      recommend_like(comm, near, block.interactions, 5, some, [&](std::int64_t user, std::span<const ScoredItem> best) {
        ++calls[user];
        const auto u = static_cast<std::size_t>(block.user_blocks.begin(comm.rank()) + user);
        auto left = item_neighbours_ranking(scores[u], whole.interactions[u]);
        ASSERT_EQ(best.size(), std::min<std::size_t>(left.size(), 5));
        for (std::size_t r = 0; r < best.size(); ++r) {
          const auto same = std::ranges::find(left, best[r].item, &ReferenceItem::item);
          ASSERT_NE(same, left.end());
          EXPECT_NEAR(same->score, left.front().score, 1e-6) << "rank " << r;
          EXPECT_NEAR(best[r].score, same->score, 1e-6);
          left.erase(same);
        }
      });
      for (std::size_t u = 0; u < calls.size(); ++u) EXPECT_EQ(calls[u], u % 2 == 0 ? 1 : 0);
    }
  });
}

TEST(ItemNeighbours, TheBitsAreThoseOfOneRank) {
  const auto whole = whole_population(90, 45, 10, 4, false, 5);
  const auto run = [&](const Communicator& comm) {
    const BlockPopulation block(whole, Distribution::even(90, comm.size()), Distribution::even(45, comm.size()),
                                comm.rank());
    const auto near = item_neighbours(comm, block.interactions, block.item_blocks, 7);
    std::vector<std::int64_t> all;
    for (std::int64_t u = 0; u < std::ssize(block.segment); ++u) all.push_back(u);
    std::vector<std::vector<ScoredItem>> best(all.size());
    recommend_like(comm, near, block.interactions, 6, all, [&](std::int64_t user, std::span<const ScoredItem> list) {
      best[user].assign(list.begin(), list.end());
    });
    std::vector<ScoredItem> mine;
    for (const auto& list : best) mine.insert(mine.end(), list.begin(), list.end());
    return comm.all_gather(std::span<const ScoredItem>(mine)).data;
  };
  const auto together = run(Communicator::world());
  const auto alone = run(Communicator::self());
  ASSERT_EQ(together.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].item, alone[i].item);
    EXPECT_EQ(together[i].score, alone[i].score);
  }
}

}  // namespace
}  // namespace cohort
