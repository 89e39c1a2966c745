// Blocks by cost against the rule's own words, and a run far larger than any test's: what a thousand ranks would hold.
#include "comm/cost_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "partition/cut_points.hpp"
#include "partition/partition.hpp"

namespace cohort {
namespace {

using Costs = std::vector<std::int64_t>;

Costs random_costs(std::size_t count, std::int64_t largest, unsigned seed) {
  std::mt19937 random(seed);
  Costs costs(count);
  for (auto& cost : costs) {
    cost = 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(random() % 5 == 0 ? largest : 3));
  }
  return costs;
}

TEST(CostCuts, AreTheRuleWhoeverLooksAtWhichPart) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto costs = random_costs(seed % 23, 1 + seed, seed);
    const auto total = std::accumulate(costs.begin(), costs.end(), std::int64_t{0});
    const int blocks = 1 + static_cast<int>(seed % 7);
    // Three who know nothing of each other, the last first.
    std::vector<CostCuts> cuts(3, CostCuts(std::ssize(costs), total, blocks));
    for (const std::size_t part : {2U, 0U, 1U}) {
      const auto first = costs.size() * part / 3;
      const auto end = costs.size() * (part + 1) / 3;
      const auto before =
          std::accumulate(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(first), std::int64_t{0});
      cuts[part].look(static_cast<std::int64_t>(first), before, std::span(costs).subspan(first, end - first));
    }
    auto begins = cuts[0].begins();
    for (const std::size_t part : {1U, 2U}) {
      std::ranges::transform(begins, cuts[part].begins(), begins.begin(),
                             [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
    }
    const auto found = cuts[0].distribution();
    ASSERT_EQ(found.ranks(), blocks);
    ASSERT_EQ(found.total(), std::ssize(costs));
    std::int64_t before = 0;
    for (std::size_t i = 0; i < costs.size(); ++i) {
      ASSERT_EQ(found.owner(static_cast<std::int64_t>(i)), before * blocks / total) << "seed " << seed;
      before += costs[i];
    }
  }
}

// 10^8 users with 5 to 35 items each, 10^5 items with 10,000 to 30,000 users each.
constexpr std::int64_t users = 100'000'000;
constexpr std::int64_t items = 100'000;
constexpr int ranks = 1000;

std::int64_t cost_of_user(std::int64_t user) {
  return 1 + 5 + static_cast<std::int64_t>((static_cast<std::uint64_t>(user) * 0x9E3779B97F4A7C15U >> 32) % 31);
}
std::int64_t cost_of_item(std::int64_t item) {
  return 1 + 10'000 + item * 7919 % 20'001;
}

template <class Cost>
std::int64_t sum_of(std::int64_t count, Cost cost) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += cost(i);
  return sum;
}

// As ranks do it: every piece is looked at with what is known of it alone.
template <class Cost>
void look(CostCuts& cuts, std::int64_t first, std::int64_t before, std::int64_t count, Cost cost) {
  Costs piece(100'000);
  for (std::int64_t at = 0; at < count; at += std::ssize(piece)) {
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = cost(at + static_cast<std::int64_t>(i));
    cuts.look(first + at, before, piece);
    before += std::accumulate(piece.begin(), piece.end(), std::int64_t{0});
  }
}

struct Held {
  std::vector<std::int64_t> nodes = std::vector<std::int64_t>(ranks);
  std::vector<std::int64_t> entries = std::vector<std::int64_t>(ranks);

  void add(int rank, std::int64_t cost) {
    ++nodes[rank];
    entries[rank] += cost - 1;
  }
  // Largest / mean of what ranks need at so many bytes a node and an entry.
  double imbalance(std::int64_t per_node, std::int64_t per_entry) const {
    std::int64_t largest = 0;
    std::int64_t sum = 0;
    for (std::size_t r = 0; r < nodes.size(); ++r) {
      const auto bytes = per_node * nodes[r] + per_entry * entries[r];
      largest = std::max(largest, bytes);
      sum += bytes;
    }
    return static_cast<double>(largest) * ranks / static_cast<double>(sum);
  }
};

// Ascending nodes and the block of each: an owner() of 10^8 nodes would take most of the test's time.
template <class Cost, class Visit>
void by_block(const Distribution& blocks, std::int64_t first, std::int64_t last, Cost cost, Visit visit) {
  for (int b = 0; b < blocks.ranks(); ++b) {
    for (auto node = std::max(first, blocks.begin(b)); node < std::min(last, blocks.end(b)); ++node) {
      visit(b, cost(node - first));
    }
  }
}

TEST(CostCuts, AThousandRanksHoldAlikeOfAHundredMillionUsersAndAHundredThousandItems) {
  const auto user_cost = sum_of(users, cost_of_user);
  const auto item_cost = sum_of(items, cost_of_item);

  // The graph as it is before it is cut: one block of nodes for each rank, users first.
  CostCuts nodes(users + items, user_cost + item_cost, ranks);
  look(nodes, 0, 0, users, cost_of_user);
  look(nodes, users, user_cost, items, cost_of_item);
  const auto held = [](const Distribution& blocks) {
    Held result;
    const auto add = [&](int rank, std::int64_t cost) { result.add(rank, cost); };
    by_block(blocks, 0, users, cost_of_user, add);
    by_block(blocks, users, users + items, cost_of_item, add);
    return result;
  };
  // Row offset and directory of a node; column and weight of an entry.
  EXPECT_LT(held(nodes.distribution()).imbalance(16, 12), 1.1);
  EXPECT_GT(held(Distribution::even(users + items, ranks)).imbalance(16, 12), 400);

  // Plain blocks: shards of users and items, and runs of shards for the ranks.
  const auto shards = automatic_shards(users + items);
  CostCuts of_users(users, user_cost, static_cast<int>(shards));
  CostCuts of_items(items, item_cost, static_cast<int>(shards));
  look(of_users, 0, 0, users, cost_of_user);
  look(of_items, 0, 0, items, cost_of_item);
  Costs shard_cost(static_cast<std::size_t>(shards), 0);
  const auto add_cost = [&](int shard, std::int64_t cost) { shard_cost[shard] += cost; };
  by_block(of_users.distribution(), 0, users, cost_of_user, add_cost);
  by_block(of_items.distribution(), 0, items, cost_of_item, add_cost);
  const auto cuts = cut_points(shard_cost, ranks);
  Held sharded;
  const auto add = [&](int shard, std::int64_t cost) { sharded.add(cuts.owner(shard), cost); };
  by_block(of_users.distribution(), 0, users, cost_of_user, add);
  by_block(of_items.distribution(), 0, items, cost_of_item, add);
  // Of 64 columns: layer 0, its two moments, two matrices of propagation; a column and a value.
  EXPECT_LT(sharded.imbalance(1280, 8), 1.1);
  EXPECT_LT(sharded.imbalance(0, 8), 1.1);
  EXPECT_LT(sharded.imbalance(1, 0), 1.1);
}

}  // namespace
}  // namespace cohort
