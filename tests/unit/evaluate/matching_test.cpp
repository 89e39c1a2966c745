// The best matching of segments against every permutation, and against what is known of large tables.
#include "evaluate/matching.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace cohort {
namespace {

std::vector<SegmentFlow> flows_of(const std::vector<std::vector<std::int64_t>>& table) {
  std::vector<SegmentFlow> flows;
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t j = 0; j < table[i].size(); ++j) {
      if (table[i][j] > 0) flows.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), table[i][j]});
    }
  }
  return flows;
}

// The users of the matched pairs; fails where a segment is matched twice or with one that it shares nobody with.
std::int64_t value_of(const std::vector<std::int32_t>& match, const std::vector<SegmentFlow>& flows) {
  std::set<std::int32_t> used;
  std::int64_t value = 0;
  std::size_t pairs = 0;
  for (const auto to : match) {
    if (to >= 0) {
      EXPECT_TRUE(used.insert(to).second) << "segment " << to << " is matched twice";
    }
  }
  for (const auto& flow : flows) {
    if (match[flow.from] != flow.to) continue;
    value += flow.users;
    ++pairs;
  }
  EXPECT_EQ(pairs, used.size()) << "only segments with users in common are matched";
  return value;
}

std::int64_t best_by_permutations(const std::vector<std::vector<std::int64_t>>& table) {
  std::size_t size = table.size();
  for (const auto& row : table) size = std::max(size, row.size());
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::int64_t best = 0;
  do {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (order[i] < table[i].size()) value += table[i][order[i]];
    }
    best = std::max(best, value);
  } while (std::ranges::next_permutation(order).found);
  return best;
}

TEST(Matching, BestOfAllPermutations) {
  std::mt19937 random(1);
  std::size_t greedy_would_fail = 0;
  for (int round = 0; round < 600; ++round) {
    const auto rows = 1 + random() % 7;
    const auto columns = 1 + random() % 7;
    const auto largest = round % 3 == 0 ? 3 : 1000;  // ties, or none
    std::vector<std::vector<std::int64_t>> table(rows, std::vector<std::int64_t>(columns, 0));
    for (auto& row : table) {
      for (auto& cell : row) cell = random() % 4 == 0 ? 0 : static_cast<std::int64_t>(random() % largest);
    }
    const auto flows = flows_of(table);
    const auto match = best_matching(static_cast<std::int32_t>(rows), flows);
    ASSERT_EQ(match.size(), rows);
    const auto best = best_by_permutations(table);
    ASSERT_EQ(value_of(match, flows), best) << round;

    auto by_size = flows;
    std::ranges::stable_sort(by_size, std::greater<>(), &SegmentFlow::users);
    std::set<std::int32_t> from, to;
    std::int64_t greedy = 0;
    for (const auto& flow : by_size) {
      if (from.contains(flow.from) || to.contains(flow.to)) continue;
      from.insert(flow.from);
      to.insert(flow.to);
      greedy += flow.users;
    }
    greedy_would_fail += greedy < best ? 1 : 0;
  }
  EXPECT_GT(greedy_would_fail, 60U) << "the tables are hard enough to tell a greedy matching";
}

TEST(Matching, SegmentsWithoutUsersInCommon) {
  EXPECT_TRUE(best_matching(0, {}).empty());
  EXPECT_EQ(best_matching(3, {}), (std::vector<std::int32_t>{-1, -1, -1}));
  const std::vector<SegmentFlow> one{{1, 5, 7}};
  EXPECT_EQ(best_matching(3, one), (std::vector<std::int32_t>{-1, 5, -1}));
  // Giving up the largest pair is better: 9 < 6 + 5.
  const std::vector<SegmentFlow> crossed{{0, 0, 9}, {0, 1, 6}, {1, 0, 5}};
  EXPECT_EQ(best_matching(2, crossed), (std::vector<std::int32_t>{1, 0}));
}

TEST(Matching, FindsAPlantedPermutationAmongManySegments) {
  constexpr std::int32_t count = 400;
  std::mt19937 random(2);
  std::vector<std::int32_t> planted(count);
  std::iota(planted.begin(), planted.end(), 0);
  std::shuffle(planted.begin(), planted.end(), random);
  std::vector<SegmentFlow> flows;
  for (std::int32_t i = 0; i < count; ++i) {
    for (std::int32_t j = 0; j < count; ++j) {
      // Above every noise by so much that no other matching can be as good.
      const std::int64_t users = static_cast<std::int64_t>(random() % 100) + (planted[i] == j ? 100 : 0);
      if (users > 0) flows.push_back({i, j, users});
    }
  }
  EXPECT_EQ(best_matching(count, flows), planted);
}

}  // namespace
}  // namespace cohort
