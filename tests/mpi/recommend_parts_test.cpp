// What recommendations are made of, against plain loops: counts of items, the scale of scores, what the blend learns.
#include <gtest/gtest.h>

#include <set>

#include "core/random.hpp"
#include "recommend_reference.hpp"
#include "segment/blend.hpp"
#include "segment/recommendation.hpp"
#include "segment/score_scale.hpp"

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
      EXPECT_EQ(counts.in_segment[at(s)], whole.interactions_inside(s));
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
    // What every rank takes out of its own users' interactions is gone.
    std::vector<SegmentItem> out;
    for (std::int64_t u = 0; u < block.interactions.rows(); ++u) {
      for (auto k = block.interactions.row_begin[at(u)]; k < block.interactions.row_begin[at(u) + 1]; ++k) {
        if (block.interactions.other[at(k)] % 2 == 0) {
          out.push_back({block.interactions.other[at(k)], block.segment[at(u)]});
        }
      }
    }
    take_out(comm, counts, out);
    for (std::int64_t i = 0; i < block.item_blocks.count(comm.rank()); ++i) {
      const auto item = block.item_blocks.begin(comm.rank()) + i;
      EXPECT_EQ(counts.users[at(i)], item % 2 == 0 ? 0 : whole.users_of(item));
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
    const auto nothing = scale.of(std::vector<float>(at(whole.columns), 0.0F));
    EXPECT_EQ(nothing.mean, 0);
    EXPECT_EQ(nothing.deviation, 0);
  });
  Matrix infinite(1, 3);
  infinite.row(0)[1] = INFINITY;
  EXPECT_THROW(ScoreScale(comm, infinite.view()), RunError);
}

// The pairs that hold_back must draw, from its description.
struct ReferencePairs {
  Lists left, held;  // of all users
};

ReferencePairs reference_pairs(const WholePopulation& whole, std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::validation_pairs);
  ReferencePairs pairs{Lists(whole.users.size()), Lists(whole.users.size())};
  for (std::size_t u = 0; u < whole.users.size(); ++u) {
    for (const auto item : whole.interactions[u]) {
      const bool held = random.uniform(u, static_cast<std::uint32_t>(item)) < 0.2;
      (held ? pairs.held : pairs.left)[u].push_back(item);
    }
    if (pairs.left[u].empty() && !pairs.held[u].empty()) {
      pairs.left[u].push_back(pairs.held[u].back());
      pairs.held[u].pop_back();
    }
    if (pairs.held[u].empty()) pairs.left[u] = whole.interactions[u];
  }
  return pairs;
}

// What the population looks like without what is held back, with the stand-ins in the place of the users.
WholePopulation reference_left(const WholePopulation& whole, const ReferencePairs& pairs) {
  auto left = whole;
  left.interactions = pairs.left;
  left.count();
  return left;
}

std::vector<float> reference_stand_in(const WholePopulation& left, std::size_t u) {
  std::vector<double> sum(at(left.columns), 0.0);
  for (const auto item : left.interactions[u]) {
    for (std::size_t c = 0; c < sum.size(); ++c) {
      sum[c] += static_cast<double>(left.items[at(item)][c]) / std::sqrt(static_cast<double>(left.users_of(item)));
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
    const auto counts = count_items(comm, block.interactions, block.segment, population.segments(), block.item_blocks);
    const auto pairs = reference_pairs(whole, 7);
    const auto left = reference_left(whole, pairs);
    const auto found = hold_back(comm, population, counts, 7);
    std::int64_t next = 0;
    for (std::int64_t u = 0; u < std::ssize(block.segment); ++u) {
      const auto g = at(block.user_blocks.begin(comm.rank()) + u);
      if (pairs.held[g].empty()) continue;
      const auto n = at(next++);
      ASSERT_LT(n, found.users.size());
      ASSERT_EQ(found.users[n], u);
      const auto row = [&](const PairTable& table) {
        return std::vector<std::int64_t>(table.other.begin() + table.row_begin[n],
                                         table.other.begin() + table.row_begin[n + 1]);
      };
      EXPECT_EQ(row(found.left), pairs.left[g]);
      EXPECT_EQ(row(found.held_back), pairs.held[g]);
      const auto expected = reference_stand_in(left, g);
      std::vector<double> distance(whole.centroid.size(), 0.0);
      for (std::size_t c = 0; c < expected.size(); ++c) {
        ASSERT_NEAR(found.stand_in.row(static_cast<std::int64_t>(n))[c], expected[c], 1e-5);
        for (std::size_t s = 0; s < distance.size(); ++s) {
          distance[s] += std::pow(static_cast<double>(expected[c]) - static_cast<double>(whole.centroid[s][c]), 2);
        }
      }
      EXPECT_NEAR(distance[at(found.segment[n])], *std::ranges::min_element(distance), 1e-5);
    }
    EXPECT_EQ(std::ssize(found.users), next);
    for (std::int64_t i = 0; i < block.item_blocks.count(comm.rank()); ++i) {
      EXPECT_EQ(found.counts.users[at(i)], left.users_of(block.item_blocks.begin(comm.rank()) + i));
    }
  });
}

TEST(Blend, SmoothingAndWeightAreTheBestOfTheirGrids) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const auto population = block.population();
    auto model = fit_recommendations(comm, population, {0, {}, true, true, 7});
    const auto pairs = reference_pairs(whole, 7);
    const auto left = reference_left(whole, pairs);
    // Stand-ins and their segments as found: their own test compares them.
    const auto validation = hold_back(comm, population, model.counts, 7);
    std::vector<std::int32_t> segment(whole.users.size(), -1);
    for (std::size_t n = 0; n < validation.users.size(); ++n) {
      segment[at(block.user_blocks.begin(comm.rank()) + validation.users[n])] = validation.segment[n];
    }
    for (auto& s : segment) s = comm.max(s);
    std::vector<double> grid{no_segments};
    for (int b = 30; b >= 0; --b) grid.push_back(std::ldexp(1.0, b));
    const auto likelihood = [&](double m) {
      double sum = 0;
      for (std::size_t u = 0; u < whole.users.size(); ++u) {
        for (const auto item : pairs.held[u]) sum += std::log(popularity_inside_of(left, item, segment[u], m));
      }
      return sum;
    };
    const auto best = std::ranges::max(grid, {}, likelihood);
    EXPECT_NEAR(likelihood(model.smoothing), likelihood(best), 1e-6);

    const auto ndcg = [&](double w) {
      double sum = 0;
      std::int64_t users = 0;
      const std::vector<char> chosen(whole.items.size(), 1);
      for (std::size_t u = 0; u < whole.users.size(); ++u) {
        if (pairs.held[u].empty()) continue;
        ++users;
        const auto ranking = reference_ranking(left, Strategy::blend, reference_stand_in(left, u), segment[u],
                                               pairs.left[u], chosen, model.smoothing, w);
        double gain = 0, ideal = 0;
        for (std::size_t r = 0; r < std::min<std::size_t>(20, ranking.size()); ++r) {
          const auto worth = 1 / std::log2(static_cast<double>(r + 2));
          if (std::ranges::binary_search(pairs.held[u], ranking[r].item)) gain += worth;
          if (r < pairs.held[u].size()) ideal += worth;
        }
        sum += gain / ideal;
      }
      return users > 0 ? sum / static_cast<double>(users) : NAN;
    };
    if (std::isnan(ndcg(0))) {
      EXPECT_EQ(model.blend_weight, 0);
      return;
    }
    double highest = ndcg(0);
    for (int i = 0; i < 9; ++i) highest = std::max(highest, ndcg(std::ldexp(0.05, i)));
    EXPECT_NEAR(model.validation_ndcg, highest, 2e-3);  // rounding may swap items of nearly equal score
    EXPECT_NEAR(ndcg(model.blend_weight), highest, 2e-3);
  });
}

TEST(Blend, NothingHeldBackMeansNoSegments) {
  const auto comm = Communicator::world();
  auto whole = whole_population(12, 9, 10, 3, false, 4);
  for (auto& list : whole.interactions) list.resize(std::min<std::size_t>(list.size(), 1));
  whole.count();
  const BlockPopulation block(whole, Distribution::even(12, comm.size()), Distribution::even(9, comm.size()),
                              comm.rank());
  const auto model = fit_recommendations(comm, block.population(), {0, {}, true, true, 7});
  EXPECT_EQ(model.smoothing, no_segments);
  EXPECT_EQ(model.blend_weight, 0);
  EXPECT_EQ(model.validation_users, 0);
}

}  // namespace
}  // namespace cohort
