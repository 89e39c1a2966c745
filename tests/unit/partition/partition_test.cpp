// Cut points and shard numbers against brute force and planted orders; METIS's guards.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "partition/cut_points.hpp"
#include "partition/held_signals.hpp"
#include "partition/metis_cut.hpp"
#include "partition/shard_numbering.hpp"

namespace cohort {
namespace {

std::int64_t dearest(const std::vector<std::int64_t>& cost, const Distribution& cuts) {
  std::int64_t most = 0;
  for (int r = 0; r < cuts.ranks(); ++r) {
    most = std::max(most, std::accumulate(cost.begin() + cuts.begin(r), cost.begin() + cuts.end(r), std::int64_t{0}));
  }
  return most;
}

std::int64_t best_possible(const std::vector<std::int64_t>& cost, std::size_t first, int ranks) {
  if (ranks == 1)
    return std::accumulate(cost.begin() + static_cast<std::ptrdiff_t>(first), cost.end(), std::int64_t{0});
  auto best = std::numeric_limits<std::int64_t>::max();
  std::int64_t run = 0;
  for (auto end = first + 1; end + static_cast<std::size_t>(ranks) - 1 <= cost.size(); ++end) {
    run += cost[end - 1];
    best = std::min(best, std::max(run, best_possible(cost, end, ranks - 1)));
  }
  return best;
}

TEST(CutPoints, NoCutIsBetter) {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::int64_t> cost(1 + random() % 9);
    for (auto& c : cost) c = static_cast<std::int64_t>(random() % 4 == 0 ? 0 : random() % (round % 3 == 0 ? 100 : 5));
    for (int ranks = 1; ranks <= static_cast<int>(cost.size()); ++ranks) {
      const auto cuts = cut_points(cost, ranks);
      ASSERT_EQ(cuts.ranks(), ranks);
      ASSERT_EQ(cuts.total(), std::ssize(cost));
      for (int r = 0; r < ranks; ++r) ASSERT_GE(cuts.count(r), 1);
      ASSERT_EQ(dearest(cost, cuts), best_possible(cost, 0, ranks));
    }
  }
}

TEST(CutPoints, EqualShardsAreSharedEvenly) {
  // A cut as full as possible from the left would leave the last rank with a single shard.
  const auto cuts = cut_points(std::vector<std::int64_t>(64, 7), 5);
  for (int r = 0; r < 5; ++r) EXPECT_GE(cuts.count(r), 12);
}

TEST(CutPoints, MoreRanksThanShards) {
  EXPECT_THROW(cut_points(std::vector<std::int64_t>{1, 2}, 3), InputError);
}

using Edges = std::vector<std::tuple<std::int32_t, std::int32_t, std::int64_t>>;

QuotientGraph quotient_of(std::int32_t shards, const Edges& edges) {
  std::vector<std::set<std::pair<std::int32_t, std::int64_t>>> rows(shards);
  for (const auto& [a, b, weight] : edges) {
    rows[a].insert({b, weight});
    rows[b].insert({a, weight});
  }
  QuotientGraph quotient;
  for (const auto& row : rows) {
    for (const auto& [column, weight] : row) {
      quotient.column.push_back(column);
      quotient.weight.push_back(weight);
    }
    quotient.row_begin.push_back(std::ssize(quotient.column));
  }
  return quotient;
}

// What contiguous runs cut, over all places where two runs can meet.
std::int64_t worst_prefix_cut(const Edges& edges, const std::vector<std::int32_t>& number) {
  std::vector<std::int64_t> cut(number.size(), 0);
  for (const auto& [a, b, weight] : edges) {
    const auto low = std::min(number[a], number[b]);
    const auto high = std::max(number[a], number[b]);
    for (auto at = low; at < high; ++at) cut[at] += weight;
  }
  return *std::max_element(cut.begin(), cut.end());
}

void expect_permutation(const std::vector<std::int32_t>& number) {
  auto sorted = number;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) ASSERT_EQ(sorted[i], static_cast<std::int32_t>(i));
}

std::vector<std::int32_t> shuffled(std::int32_t count) {
  std::vector<std::int32_t> names(count);
  std::iota(names.begin(), names.end(), 0);
  std::shuffle(names.begin(), names.end(), std::mt19937(3));
  return names;
}

TEST(ShardNumbers, APathIsNumberedAlongItself) {
  for (const std::int32_t shards : {1, 2, 3, 5, 8}) {
    const auto names = shuffled(shards);
    Edges edges;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) edges.emplace_back(names[i], names[i + 1], 10);
    const auto number = number_shards(quotient_of(shards, edges), std::vector<std::int64_t>(names.size(), 5), 1);
    expect_permutation(number);
    EXPECT_EQ(worst_prefix_cut(edges, number), shards > 1 ? 10 : 0) << shards;
  }
}

TEST(ShardNumbers, RunsAreCompact) {
  // A path, a circle and a grid, each larger than what is tried exhaustively, and no powers of two.
  const auto names = shuffled(42);
  const auto name = [&](std::int32_t i) { return names[i]; };
  Edges path;
  for (std::int32_t i = 0; i + 1 < 42; ++i) path.emplace_back(name(i), name(i + 1), 1);
  auto circle = path;
  circle.emplace_back(name(41), name(0), 1);
  Edges grid;
  for (std::int32_t i = 0; i < 42; ++i) {
    if (i % 6 != 5) grid.emplace_back(name(i), name(i + 1), 1);
    if (i + 6 < 42) grid.emplace_back(name(i), name(i + 6), 1);
  }
  for (const auto& [edges, limit] : std::vector<std::pair<Edges, std::int64_t>>{{path, 3}, {circle, 5}, {grid, 13}}) {
    const auto number = number_shards(quotient_of(42, edges), std::vector<std::int64_t>(42, 3), 1);
    expect_permutation(number);
    EXPECT_LE(worst_prefix_cut(edges, number), limit);
    EXPECT_GT(worst_prefix_cut(edges, names), 20) << "the test is too easy";
  }
}

TEST(ShardNumbers, GroupsAreRuns) {
  // Two halves of two groups of four shards each: dense groups, weak ties inside a half, weaker between the halves.
  const auto names = shuffled(16);
  Edges edges;
  for (std::int32_t i = 0; i < 16; ++i) {
    for (std::int32_t j = i + 1; j < 16; ++j) {
      edges.emplace_back(names[i], names[j], i / 4 == j / 4 ? 1000 : (i / 8 == j / 8 ? 50 : 1));
    }
  }
  const auto number = number_shards(quotient_of(16, edges), std::vector<std::int64_t>(16, 9), 1);
  expect_permutation(number);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(number[names[i]] / 4, number[names[i / 4 * 4]] / 4);
    EXPECT_EQ(number[names[i]] / 8, number[names[i / 8 * 8]] / 8);
  }
}

TEST(ShardNumbers, WithoutEdgesInPiecesAndEmpty) {
  for (const std::int32_t shards : {1, 2, 7, 9, 33, 100}) {
    std::vector<std::int64_t> cost(shards, 4);
    expect_permutation(number_shards(quotient_of(shards, {}), cost, 1));
    expect_permutation(number_shards(quotient_of(shards, {}), std::vector<std::int64_t>(cost.size(), 0), 1));
    // Pairs that are not joined to each other, one enormous, every third shard empty.
    Edges pairs;
    std::int64_t empty = 0;
    for (std::int32_t s = 0; s < shards; ++s) {
      if (s % 3 == 2) {
        cost[s] = 0;
        ++empty;
      } else if (s % 3 == 0 && s + 1 < shards) {
        pairs.emplace_back(s, s + 1, s == 0 ? std::int64_t{1} << 60 : 2);
      }
    }
    cost[0] = std::int64_t{1} << 60;
    const auto number = number_shards(quotient_of(shards, pairs), cost, 1);
    expect_permutation(number);
    for (std::int32_t s = 0; s < shards; ++s) {
      EXPECT_EQ(number[s] >= shards - empty, cost[s] == 0);
    }
    EXPECT_EQ(number, number_shards(quotient_of(shards, pairs), cost, 1));
  }
}

TEST(Metis, WeightsFitItsIntegers) {
  const std::vector<std::int64_t> huge{std::int64_t{1} << 60, std::int64_t{1} << 59, 3, 0};
  const auto scaled = metis_weights(huge, 1.0);
  EXPECT_LE(std::accumulate(scaled.begin(), scaled.end(), std::int64_t{0}), metis_largest / 4 + 4);
  EXPECT_NEAR(static_cast<double>(scaled[0]) / static_cast<double>(scaled[1]), 2, 1e-6);
  EXPECT_EQ(scaled[2], 1);
  EXPECT_EQ(scaled[3], 1);
  EXPECT_EQ(metis_weights({5, 1, 90, 4}, 0.1), (std::vector<idx_t>{5, 1, 10, 4}));
}

TEST(Metis, AGraphBeyondItsIntegersIsRefusedWithTheNumbers) {
  EXPECT_NO_THROW(need_metis_integers(1000, 100000, CutObjective::cut));
  try {
    need_metis_integers(1000, std::numeric_limits<std::int64_t>::max() - 7, CutObjective::volume);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("9223372036854775800"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(std::to_string(metis_largest / 3)), std::string::npos);
  }
}

volatile std::sig_atomic_t handled = 0;

TEST(HeldSignals, FromElsewhereIsDeliveredLaterAndOnesOwnIsSwallowed) {
  handled = 0;
  const auto before = std::signal(SIGTERM, [](int) { handled = handled + 1; });
  {
    HeldSignals signals;
    if (const pid_t other = fork(); other == 0) {
      kill(getppid(), SIGTERM);
      _exit(0);
    } else {
      waitpid(other, nullptr, 0);
    }
    EXPECT_EQ(handled, 0);
    EXPECT_FALSE(signals.release());
    EXPECT_EQ(handled, 1);
  }
  {
    HeldSignals signals;
    std::raise(SIGTERM);
    EXPECT_TRUE(signals.release());
    EXPECT_EQ(handled, 1);
  }
  std::signal(SIGTERM, before);
}

}  // namespace
}  // namespace cohort
