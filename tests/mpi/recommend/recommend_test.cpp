// Recommendations by every strategy against whole sorted rows of scores.
#include <gtest/gtest.h>

#include <set>

#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "recommend/recommendation.hpp"
#include "support/recommend_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

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
      std::vector<char> chosen(whole.item_count(), 1);
      std::vector<char> allowed;
      if (setting.listed) {
        chosen = allowed_items(whole);
        const auto first = chosen.begin() + block.item_blocks.begin(comm.rank());
        allowed.assign(first, first + block.item_blocks.count(comm.rank()));
      }
      for (std::int64_t i = 0; i < whole.item_count(); ++i) {
        if (whole.users_of(i) < setting.min_support) chosen[i] = 0;
      }
      if (std::ranges::count(chosen, 1) == 0) continue;
      RecommendOptions options;
      options.min_support = setting.min_support;
      options.allowed = allowed;
      options.smoothing = false;
      auto model = fit_recommendations(comm, population, options);
      model.smoothing = setting.smoothing;
      model.blend_weight = setting.weight;
      for (const auto strategy : unfiltered) {
        const bool exact = strategy != Strategy::blend;
        std::vector<int> calls(block.segment.size(), 0);
        recommend_to_users(comm, population, model, strategy, setting.count, nullptr,
                           [&](std::int64_t user, std::span<const ScoredItem> best) {
                             ++calls[user];
                             const auto u = static_cast<std::size_t>(block.user_blocks.begin(comm.rank()) + user);
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
          for (auto i = lists.begin[s]; i < lists.begin[s + 1]; ++i) {
            best.push_back({lists.score[i], lists.item[i]});
          }
          expect_ranking(
              best,
              reference_ranking(whole, strategy, whole.centroid[s], s, {}, chosen, model.smoothing, model.blend_weight),
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
  const auto validation = block.validation(comm, block.interactions, 3);
  const auto model = fit_recommendations(comm, block.population(), {0, {}, true, &validation, 3});
  AllLists all{{}, model.smoothing, model.blend_weight, model.validation_ndcg};
  for (const auto strategy : unfiltered) {
    std::vector<std::vector<ScoredItem>> best(block.segment.size());
    recommend_to_users(
        comm, block.population(), model, strategy, 7, nullptr,
        [&](std::int64_t user, std::span<const ScoredItem> list) { best[user].assign(list.begin(), list.end()); });
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
  auto model = fit_recommendations(comm, block.population(), {0, {}, false, nullptr, 0});
  model.smoothing = 8;
  model.blend_weight = 0.1;
  std::vector<std::int64_t> some;
  for (std::int64_t u = 0; u < std::ssize(block.segment); u += 3) some.push_back(u);
  const std::vector<std::int64_t> nobody;
  for (const std::vector<std::int64_t>* chosen : {&std::as_const(some), &nobody}) {
    for (const auto strategy : unfiltered) {
      std::vector<int> calls(block.segment.size(), 0);
      recommend_to_users(comm, block.population(), model, strategy, 5, chosen,
                         [&](std::int64_t user, std::span<const ScoredItem>) { ++calls[user]; });
      for (std::size_t u = 0; u < calls.size(); ++u) EXPECT_EQ(calls[u], chosen == &some && u % 3 == 0 ? 1 : 0);
    }
  }
}

TEST(Recommend, NoItemLeftIsAnError) {
  const auto comm = Communicator::world();
  const auto whole = whole_population(10, 8, 10, 2, false, 1);
  const BlockPopulation block(whole, Distribution::even(10, comm.size()), Distribution::even(8, comm.size()),
                              comm.rank());
  EXPECT_THROW(fit_recommendations(comm, block.population(), {11, {}, false, nullptr, 0}), InputError);
}

TEST(Recommend, StrategiesHaveTheNamesOfTheConfiguration) {
  for (const auto strategy : all_strategies) EXPECT_EQ(word_of("recommend.strategy", strategy), name_of(strategy));
}

}  // namespace
}  // namespace cohort
