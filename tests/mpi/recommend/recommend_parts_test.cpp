// What recommendations are made of, against plain loops: counts of items, the scale of scores, what the blend learns.
#include <gtest/gtest.h>

#include <set>

#include "core/random.hpp"
#include "recommend/blend.hpp"
#include "recommend/recommendation.hpp"
#include "recommend/score_scale.hpp"
#include "support/recommend_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(ItemCounts, AreThoseOfPlainLoops) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    auto counts = count_items(comm, block.interactions, block.segment, static_cast<std::int32_t>(whole.segments()),
                              block.item_blocks);
    EXPECT_EQ(counts.interactions, whole.all_interactions());
    std::vector<SegmentItem> asked;
    std::vector<PairCount> expected;
    for (std::int32_t s = 0; s < whole.segments(); ++s) {
      EXPECT_EQ(counts.in_segment[s], whole.interactions_inside(s));
      // The last rank asks for nothing.
      for (std::int64_t i = 0; i < (comm.rank() + 1 < comm.size() ? whole.item_count() : 0); ++i) {
        asked.push_back({whole.item_count() - 1 - i, s});
        expected.push_back(
            {whole.users_of(asked.back().item), static_cast<std::int32_t>(whole.users_inside(asked.back().item, s))});
      }
    }
    const auto found = look_up(comm, counts, asked);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(found[i].users, expected[i].users);
      ASSERT_EQ(found[i].segment_users, expected[i].segment_users);
    }
  });
}

TEST(ScoreScale, IsTheSpreadOfAllScores) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const ScoreScale scale(comm, block.items.view());
    for (const auto& user : whole.users) {
      const auto [mean, deviation] = spread_of(whole, user);
      const auto found = scale.of(user);
      EXPECT_NEAR(found.mean, mean, 1e-5);
      EXPECT_NEAR(found.deviation, deviation, 1e-5);
    }
    const auto nothing = scale.of(std::vector<float>(whole.columns, 0.0F));
    EXPECT_EQ(nothing.mean, 0);
    EXPECT_EQ(nothing.deviation, 0);
  });
  Matrix infinite(1, 3);
  infinite.row(0)[1] = INFINITY;
  EXPECT_THROW(ScoreScale(comm, infinite.view()), RunError);
}

std::vector<float> reference_stand_in(const WholePopulation& left, std::size_t u) {
  std::vector<double> sum(left.columns, 0.0);
  for (const auto item : left.interactions[u]) {
    for (std::size_t c = 0; c < sum.size(); ++c) {
      sum[c] += static_cast<double>(left.items[item][c]) / std::sqrt(static_cast<double>(left.users_of(item)));
    }
  }
  double wanted = 0, length = 0;
  for (std::size_t c = 0; c < sum.size(); ++c) {
    wanted += static_cast<double>(left.users[u][c]) * static_cast<double>(left.users[u][c]);
    length += sum[c] * sum[c];
  }
  std::vector<float> result;
  for (const auto value : sum)
    result.push_back(static_cast<float>(length > 0 ? value * std::sqrt(wanted / length) : 0));
  return result;
}

TEST(Blend, HoldsBackAndStandsIn) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const auto population = block.population();
    const auto pairs = reference_pairs(whole, 7);
    const auto left = reference_left(whole, pairs);
    const auto held = hold_back(comm, block.interactions, block.user_blocks, block.item_blocks, 7);
    const auto counts = count_items(comm, held.left, block.segment, population.segments(), block.item_blocks);
    const auto segment = stand_in_segments(comm, population, held, counts);
    ASSERT_EQ(segment.size(), block.segment.size());
    std::int64_t users = 0;
    for (std::int64_t u = 0; u < std::ssize(block.segment); ++u) {
      const auto g = static_cast<std::size_t>(block.user_blocks.begin(comm.rank()) + u);
      const auto list = [](std::span<const std::int64_t> row) {
        return std::vector<std::int64_t>(row.begin(), row.end());
      };
      EXPECT_EQ(list(held.left.row(u)), pairs.left[g]);
      EXPECT_EQ(list(held.pairs.row(u)), pairs.held[g]);
      if (pairs.held[g].empty()) {
        EXPECT_EQ(segment[u], block.segment[u]);
        continue;
      }
      ++users;
      const auto expected = reference_stand_in(left, g);
      std::vector<double> distance(whole.centroid.size(), 0.0);
      for (std::size_t c = 0; c < expected.size(); ++c) {
        for (std::size_t s = 0; s < distance.size(); ++s) {
          distance[s] += std::pow(static_cast<double>(expected[c]) - static_cast<double>(whole.centroid[s][c]), 2);
        }
      }
      EXPECT_NEAR(distance[segment[u]], *std::ranges::min_element(distance), 1e-5);
    }
    EXPECT_EQ(held.users(), users);
  });
}

TEST(Blend, SmoothingByStandInsIsTheMostLikelyOfItsGrid) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const auto population = block.population();
    RecommendOptions options;
    options.seed = 7;
    const auto model = fit_recommendations(comm, population, options);
    const auto pairs = reference_pairs(whole, 7);
    const auto left = reference_left(whole, pairs);
    const auto held = hold_back(comm, block.interactions, block.user_blocks, block.item_blocks, 7);
    const auto counts = count_items(comm, held.left, block.segment, population.segments(), block.item_blocks);
    const auto segment = whole_segments(comm, block, stand_in_segments(comm, population, held, counts));
    const auto [best, likelihood] = most_likely_smoothing(left, pairs.held, segment, model.smoothing);
    EXPECT_NEAR(likelihood, best, 1e-6);
    EXPECT_EQ(model.blend_weight, 0);
  });
}

}  // namespace
}  // namespace cohort
