// The weight of the blend: that of largest NDCG on pairs held out of the validation's embedding, by plain loops, and 0
// where segments add nothing or nothing that is above chance.
#include "recommend/blend.hpp"

#include <gtest/gtest.h>

#include "support/recommend_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// NDCG@20 of every user with pairs held back, by the definition.
std::vector<double> ndcg_of_users(const WholePopulation& left, const Lists& held, double m, double w) {
  std::vector<double> found;
  const std::vector<char> chosen(left.items.size(), 1);
  for (std::size_t u = 0; u < held.size(); ++u) {
    if (held[u].empty()) continue;
    const auto ranking =
        reference_ranking(left, Strategy::blend, left.users[u], left.segment[u], left.interactions[u], chosen, m, w);
    double gain = 0, ideal = 0;
    for (std::size_t r = 0; r < 20; ++r) {
      const auto worth = 1 / std::log2(static_cast<double>(r + 2));
      if (r < ranking.size() && std::ranges::binary_search(held[u], ranking[r].item)) gain += worth;
      if (r < held[u].size()) ideal += worth;
    }
    found.push_back(gain / ideal);
  }
  return found;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The validation knows other embeddings and segments than the population: those of `other`.
RecommendModel fit(const Communicator& comm, const WholePopulation& whole, const WholePopulation& other,
                   std::uint64_t seed) {
  const auto users = Distribution::even(whole.user_count(), comm.size());
  const auto items = Distribution::even(whole.item_count(), comm.size());
  const BlockPopulation block(whole, users, items, comm.rank());
  const auto validation = BlockPopulation(other, users, items, comm.rank()).validation(comm, block.interactions, seed);
  return fit_recommendations(comm, block.population(), {0, {}, true, &validation, seed});
}

TEST(BlendWeight, IsTheBestOfItsGridWhereItsGainIsAboveItsError) {
  const auto comm = Communicator::world();
  int above = 0, not_above = 0;
  for (const auto seed : {7U, 8U, 9U, 10U}) {
    const auto whole = whole_population(61, 45, 10, 4, false, seed);
    auto other = whole_population(61, 45, 10, 4, false, seed + 100);
    other.interactions = whole.interactions;
    other.segment = whole.segment;
    if (seed % 2 == 0) {  // segments that say nothing
      for (std::size_t u = 0; u < other.segment.size(); ++u) other.segment[u] = static_cast<std::int32_t>(u % 3);
    }
    other.count();
    const auto pairs = reference_pairs(whole, seed);
    const auto left = reference_left(other, pairs);
    const auto model = fit(comm, whole, other, seed);
    const auto [best, likelihood] = most_likely_smoothing(left, pairs.held, left.segment, model.smoothing);
    EXPECT_NEAR(likelihood, best, 1e-6);

    const auto without = ndcg_of_users(left, pairs.held, model.smoothing, 0);
    double highest = mean_of(without);
    for (int i = 0; i < 9; ++i) {
      highest = std::max(highest, mean_of(ndcg_of_users(left, pairs.held, model.smoothing, std::ldexp(0.05, i))));
    }
    const auto with = ndcg_of_users(left, pairs.held, model.smoothing, model.best_weight);
    EXPECT_NEAR(mean_of(with), highest, 2e-3);  // rounding may swap items of nearly equal score
    std::vector<double> difference;
    for (std::size_t i = 0; i < with.size(); ++i) difference.push_back(with[i] - without[i]);
    const auto gain = mean_of(difference);
    double squares = 0;
    for (const auto d : difference) squares += (d - gain) * (d - gain);
    const auto n = static_cast<double>(difference.size());
    const auto error = std::sqrt(squares / (n - 1) / n);
    EXPECT_EQ(model.validation_users, std::ssize(difference));
    EXPECT_NEAR(model.best_gain, gain, 2e-3);
    EXPECT_NEAR(model.gain_error, error, 2e-3);
    EXPECT_EQ(model.blend_weight, model.best_gain > 2 * model.gain_error ? model.best_weight : 0);
    EXPECT_NEAR(model.validation_ndcg, model.blend_weight > 0 ? mean_of(with) : mean_of(without), 2e-3);
    ++(model.blend_weight > 0 ? above : not_above);
  }
  EXPECT_GT(above, 0);
}

// Every user has 12 items; the embedding ranks items by the user's own taste and nothing else. Where `structure`, a
// user's items are mostly those of its segment, which the embedding does not know.
WholePopulation tastes(bool structure, unsigned seed) {
  constexpr std::int64_t users = 400, items = 90, columns = 8;
  constexpr std::int32_t segments = 3;
  auto whole = whole_population(users, items, columns, segments + 1, false, seed);
  std::mt19937 random(seed + 1);
  std::normal_distribution<float> normal;
  for (auto* rows : {&whole.users, &whole.items}) {
    for (auto& row : *rows) {
      for (auto& value : row) value = normal(random);
    }
  }
  for (std::size_t u = 0; u < static_cast<std::size_t>(users); ++u) {
    whole.segment[u] = static_cast<std::int32_t>(u % segments);
    std::vector<std::pair<float, std::int64_t>> liked;
    for (std::int64_t i = 0; i < items; ++i) {
      const auto own = structure && i % segments == whole.segment[u] ? 6.0F : 0.0F;
      liked.emplace_back(inner_product(whole.users[u], whole.items[i]) + own + normal(random), i);
    }
    std::ranges::sort(liked, std::greater());
    auto& list = whole.interactions[u];
    list.clear();
    for (std::size_t n = 0; n < 12; ++n) list.push_back(liked[n].second);
    std::ranges::sort(list);
  }
  whole.count();
  return whole;
}

TEST(BlendWeight, SegmentsThatSayNothingWeighNothing) {
  // Ranks share the seeds. A gain above two standard errors comes by chance now and then, and is a small one.
  const auto world = Communicator::world();
  std::int64_t above = 0;
  for (auto seed = static_cast<unsigned>(world.rank()); seed < 20; seed += static_cast<unsigned>(world.size())) {
    const auto whole = tastes(false, seed);
    const auto model = fit(Communicator::self(), whole, whole, seed);
    above += model.blend_weight > 0 ? 1 : 0;
    EXPECT_LT(model.best_gain, 4 * model.gain_error + 1e-9) << "seed " << seed;
  }
  EXPECT_LE(world.sum(above), 2);
}

TEST(BlendWeight, SegmentsThatSayWhatTheEmbeddingDoesNotWeighSomething) {
  const auto comm = Communicator::world();
  const auto whole = tastes(true, 1);
  const auto model = fit(comm, whole, whole, 1);
  EXPECT_GT(model.blend_weight, 0);
  EXPECT_GT(model.best_gain, 5 * model.gain_error);
  EXPECT_LT(model.smoothing, 1e6);
}

TEST(BlendWeight, NothingHeldBackMeansNoSegments) {
  const auto comm = Communicator::world();
  auto whole = whole_population(12, 9, 10, 3, false, 4);
  for (auto& list : whole.interactions) list.resize(std::min<std::size_t>(list.size(), 1));
  whole.count();
  const auto model = fit(comm, whole, whole, 7);
  EXPECT_EQ(model.smoothing, no_segments);
  EXPECT_EQ(model.blend_weight, 0);
  EXPECT_EQ(model.validation_users, 0);
}

// What more than half of a segment's users have, and lists without it.
TEST(WidelyHeld, IsCountedByHandAndCanBeLeftOut) {
  const auto comm = Communicator::world();
  for_each_case(comm, [&](const WholePopulation& whole, const BlockPopulation& block) {
    const auto population = block.population();
    auto model = fit_recommendations(comm, population, {0, {}, false, nullptr, 0});
    model.smoothing = 4;
    model.blend_weight = 0.4;
    const auto held = widely_held(comm, model.counts, population);
    ASSERT_EQ(held.rows(), whole.segments());
    std::vector<std::vector<std::int64_t>> expected(whole.segments());
    for (std::int32_t s = 0; s < whole.segments(); ++s) {
      const auto size = std::ranges::count(whole.segment, s);
      for (std::int64_t i = 0; i < whole.item_count(); ++i) {
        if (2 * whole.users_inside(i, s) > size) expected[s].push_back(i);
      }
      EXPECT_TRUE(std::ranges::equal(held.row(s), expected[s])) << "segment " << s;
    }
    for (const auto strategy : unfiltered) {
      const auto all = recommend_to_segments(comm, population, model, strategy, whole.item_count());
      const auto novel = recommend_to_segments(comm, population, model, strategy, 6, &held);
      for (std::int32_t s = 0; s < whole.segments(); ++s) {
        std::vector<std::int64_t> wanted;
        for (auto i = all.begin[s]; i < all.begin[s + 1] && wanted.size() < 6; ++i) {
          if (!std::ranges::binary_search(expected[s], all.item[i])) wanted.push_back(all.item[i]);
        }
        const std::vector<std::int64_t> found(novel.item.begin() + novel.begin[s],
                                              novel.item.begin() + novel.begin[s + 1]);
        EXPECT_EQ(found, wanted) << name_of(strategy) << ", segment " << s;
      }
    }
  });
}

}  // namespace
}  // namespace cohort
