// Recommendations by every strategy against whole sorted rows of scores, and what they are made of against plain loops.
#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "recommend_reference.hpp"
#include "segment/blend.hpp"
#include "segment/recommendation.hpp"
#include "segment/score_scale.hpp"

namespace cohort {
namespace {

using namespace testing_support;

std::vector<WholePopulation> populations() {
  return {whole_population(61, 45, 10, 4, false, 1), whole_population(40, 70, 33, 3, true, 2),
          whole_population(3, 5, 10, 2, false, 3)};
}

// Calls check(whole, block) for every population and cut into blocks.
template <class Check>
void for_each_case(const Communicator& comm, Check check) {
  for (const auto& whole : populations()) {
    const auto users = block_distributions(whole.user_count(), comm.size());
    const auto items = block_distributions(whole.item_count(), comm.size());
    for (const std::size_t cut : {0, 1}) {
      SCOPED_TRACE(testing::Message() << whole.user_count() << " x " << whole.item_count() << ", cut " << cut);
      check(whole, BlockPopulation(whole, users[cut], items[cut], comm.rank()));
    }
  }
}

// What is recommended: by how many items, among which, with which smoothing and weight.
struct Setting {
  std::int64_t min_support;
  bool listed;
  std::int64_t count;
  double smoothing;
  double weight;
};

std::vector<char> allowed_items(const WholePopulation& whole) {
  std::vector<char> allowed;
  for (std::int64_t i = 0; i < whole.item_count(); ++i) allowed.push_back(i % 3 != 1 ? 1 : 0);
  return allowed;
}

// Scores may differ by rounding, and so may the order of those that are nearly equal; where `exact`, neither.
void expect_ranking(std::span<const ScoredItem> found, std::vector<ReferenceItem> expected, std::int64_t count,
                    bool exact) {
  ASSERT_EQ(std::ssize(found), std::min(count, std::ssize(expected)));
  for (std::size_t r = 0; r < found.size(); ++r) {
    const auto same = std::ranges::find(expected, found[r].item, &ReferenceItem::item);
    ASSERT_NE(same, expected.end()) << "item " << found[r].item << " may not be recommended, or is there twice";
    if (exact) {
      ASSERT_EQ(found[r].item, expected.front().item) << "rank " << r;
      ASSERT_EQ(found[r].score, static_cast<float>(same->score));
    } else {
      ASSERT_NEAR(same->score, expected.front().score, 2e-5) << "rank " << r;
      ASSERT_NEAR(found[r].score, same->score, 2e-5);
    }
    expected.erase(same);
  }
}

TEST(Recommend, EveryStrategyIsAFullSort) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const auto population = block.population();
    for (const auto& setting : {Setting{0, false, 4, 1, 0.4}, Setting{2, false, 200, 64, 0.4},
                                Setting{0, true, 5, no_segments, 0.4}, Setting{2, true, 3, 8, 0}}) {
      std::vector<char> chosen(at(whole.item_count()), 1);
      std::vector<char> allowed;
      if (setting.listed) {
        chosen = allowed_items(whole);
        const auto first = chosen.begin() + block.item_blocks.begin(comm.rank());
        allowed.assign(first, first + block.item_blocks.count(comm.rank()));
      }
      for (std::int64_t i = 0; i < whole.item_count(); ++i) {
        if (whole.users_of(i) < setting.min_support) chosen[at(i)] = 0;
      }
      if (std::ranges::count(chosen, 1) == 0) continue;
      RecommendOptions options;
      options.min_support = setting.min_support;
      options.allowed = allowed;
      options.weight = false;
      options.smoothing = false;
      auto model = fit_recommendations(comm, population, options);
      model.smoothing = setting.smoothing;
      model.blend_weight = setting.weight;
      for (const auto strategy : all_strategies) {
        const bool exact = strategy != Strategy::blend;
        std::vector<int> calls(block.segment.size(), 0);
        recommend_to_users(comm, population, model, strategy, setting.count, nullptr,
                           [&](std::int64_t user, std::span<const ScoredItem> best) {
                             ++calls[at(user)];
                             const auto u = at(block.user_blocks.begin(comm.rank()) + user);
                             SCOPED_TRACE(testing::Message() << name_of(strategy) << ", user " << u);
                             expect_ranking(
                                 best,
                                 reference_ranking(whole, strategy, whole.users[u], whole.segment[u],
                                                   whole.interactions[u], chosen, model.smoothing, model.blend_weight),
                                 setting.count, exact);
                           });
        EXPECT_EQ(calls, std::vector<int>(calls.size(), 1));
        const auto lists = recommend_to_segments(comm, population, model, strategy, setting.count);
        ASSERT_EQ(std::ssize(lists.begin), whole.segments() + 1);
        for (std::int32_t s = 0; s < whole.segments(); ++s) {
          SCOPED_TRACE(testing::Message() << name_of(strategy) << ", segment " << s);
          std::vector<ScoredItem> best;
          for (auto i = lists.begin[at(s)]; i < lists.begin[at(s) + 1]; ++i) {
            best.push_back({lists.score[at(i)], lists.item[at(i)]});
          }
          expect_ranking(best,
                         reference_ranking(whole, strategy, whole.centroid[at(s)], s, {}, chosen, model.smoothing,
                                           model.blend_weight),
                         setting.count, exact);
        }
      }
    }
  });
}

// Every list of every user, and of every segment, in their order; and what was learnt.
struct AllLists {
  std::vector<ScoredItem> items;
  double smoothing = 0, weight = 0, ndcg = 0;
};

AllLists all_lists(const Communicator& comm, const WholePopulation& whole) {
  const BlockPopulation block(whole, Distribution::even(whole.user_count(), comm.size()),
                              Distribution::even(whole.item_count(), comm.size()), comm.rank());
  const auto model = fit_recommendations(comm, block.population(), {0, {}, true, true, 3});
  AllLists all{{}, model.smoothing, model.blend_weight, model.validation_ndcg};
  for (const auto strategy : all_strategies) {
    std::vector<std::vector<ScoredItem>> best(block.segment.size());
    recommend_to_users(
        comm, block.population(), model, strategy, 7, nullptr,
        [&](std::int64_t user, std::span<const ScoredItem> list) { best[at(user)].assign(list.begin(), list.end()); });
    std::vector<ScoredItem> mine;
    for (const auto& list : best) mine.insert(mine.end(), list.begin(), list.end());
    const auto joined = comm.all_gather(std::span<const ScoredItem>(mine)).data;
    all.items.insert(all.items.end(), joined.begin(), joined.end());
    const auto lists = recommend_to_segments(comm, block.population(), model, strategy, 7);
    for (std::size_t i = 0; i < lists.item.size(); ++i) all.items.push_back({lists.score[i], lists.item[i]});
  }
  return all;
}

TEST(Recommend, TheBitsAreThoseOfOneRank) {
  for (const auto& whole : {populations()[0], populations()[1]}) {
    const auto together = all_lists(Communicator::world(), whole);
    const auto alone = all_lists(Communicator::self(), whole);
    EXPECT_EQ(together.smoothing, alone.smoothing);
    EXPECT_EQ(together.weight, alone.weight);
    EXPECT_EQ(together.ndcg, alone.ndcg);
    ASSERT_EQ(together.items.size(), alone.items.size());
    for (std::size_t i = 0; i < alone.items.size(); ++i) {
      ASSERT_EQ(together.items[i].item, alone.items[i].item);
      ASSERT_EQ(together.items[i].score, alone.items[i].score);
    }
  }
}

TEST(Recommend, ChosenUsersOnlyAndNobody) {
  const auto comm = Communicator::world();
  const auto whole = whole_population(61, 45, 10, 4, false, 1);
  const BlockPopulation block(whole, Distribution::even(61, comm.size()), Distribution::even(45, comm.size()),
                              comm.rank());
  auto model = fit_recommendations(comm, block.population(), {0, {}, false, false, 0});
  model.smoothing = 8;
  model.blend_weight = 0.1;
  std::vector<std::int64_t> some;
  for (std::int64_t u = 0; u < std::ssize(block.segment); u += 3) some.push_back(u);
  const std::vector<std::int64_t> nobody;
  for (const std::vector<std::int64_t>* chosen : {&std::as_const(some), &nobody}) {
    for (const auto strategy : all_strategies) {
      std::vector<int> calls(block.segment.size(), 0);
      recommend_to_users(comm, block.population(), model, strategy, 5, chosen,
                         [&](std::int64_t user, std::span<const ScoredItem>) { ++calls[at(user)]; });
      for (std::size_t u = 0; u < calls.size(); ++u) EXPECT_EQ(calls[u], chosen == &some && u % 3 == 0 ? 1 : 0);
    }
  }
}

TEST(Recommend, NoItemLeftIsAnError) {
  const auto comm = Communicator::world();
  const auto whole = whole_population(10, 8, 10, 2, false, 1);
  const BlockPopulation block(whole, Distribution::even(10, comm.size()), Distribution::even(8, comm.size()),
                              comm.rank());
  EXPECT_THROW(fit_recommendations(comm, block.population(), {11, {}, false, false, 0}), InputError);
  EXPECT_THROW(strategy_named("blended"), InputError);
  for (const auto strategy : all_strategies) EXPECT_EQ(strategy_named(name_of(strategy)), strategy);
}

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
