// The comparison of strategies: measures and exposure against plain loops, the bootstrap against closed forms and
// against its own definition, and claims on data with and without segments.
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "evaluate/strategy_comparison.hpp"
#include "support/item_neighbours_reference.hpp"
#include "support/recommend_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// Copies of a user in a resample, from the definition: the inverse of Poisson(1)'s distribution function.
std::int64_t copies_of(std::uint64_t seed, std::uint64_t user, std::uint32_t resample) {
  const auto words = CounterRandom(seed, Purpose::bootstrap).words(user, (resample - 1) / 4);
  const auto word = words[(resample - 1) % 4];
  double probability = std::exp(-1.0), sum = probability;
  std::int64_t copies = 0;
  while (copies < 13 && word >= static_cast<std::uint32_t>(std::min(std::floor(std::ldexp(sum, 32)), 4294967295.0))) {
    ++copies;
    probability /= static_cast<double>(copies);
    sum += probability;
  }
  return copies;
}

struct Sample {
  std::vector<std::int64_t> user;
  std::vector<std::int32_t> group;
  std::vector<double> value;
};

// This rank's even block of users, each with two values.
template <class ValueOf>
Sample sample_of(const Communicator& comm, std::int64_t users, std::int32_t groups, ValueOf value_of) {
  Sample sample;
  const auto blocks = Distribution::even(users, comm.size());
  for (auto u = blocks.begin(comm.rank()); u < blocks.end(comm.rank()); ++u) {
    sample.user.push_back(u);
    sample.group.push_back(static_cast<std::int32_t>(u * u % groups));
    for (int c = 0; c < 2; ++c) sample.value.push_back(value_of(u, c));
  }
  return sample;
}

TEST(Bootstrap, SumsAreThoseOfTheDefinition) {
  const auto comm = Communicator::world();
  constexpr std::int64_t users = 50;
  constexpr std::int32_t groups = 7;  // group 3 is empty: 3 is no square modulo 7
  const auto value_of = [](std::int64_t u, int c) {
    return c == 0 ? (u % 3 == 0 ? 1.0 : 0.0) : 0.25 * static_cast<double>(u % 5);
  };
  const auto sample = sample_of(comm, users, groups, value_of);
  const BootstrapInput input{sample.user, sample.group, sample.value, 2, groups, 41, 9};
  std::int32_t next = 0;
  bootstrap(comm, input, [&](std::int32_t group, const ResampledSums& sums) {
    ASSERT_EQ(group, next++);
    ASSERT_EQ(sums.users().size(), 42U);
    for (std::uint32_t r = 0; r < 42; ++r) {
      std::int64_t counted = 0;
      std::array<double, 2> sum{};
      for (std::int64_t u = 0; u < users; ++u) {
        if (u * u % groups != group) continue;
        const auto copies = r == 0 ? 1 : copies_of(9, static_cast<std::uint64_t>(u), r);
        counted += copies;
        for (int c = 0; c < 2; ++c) sum[c] += static_cast<double>(copies) * value_of(u, c);
      }
      ASSERT_EQ(sums.users()[r], counted);
      for (int c = 0; c < 2; ++c) {
        ASSERT_EQ(static_cast<double>(sums.column(c)[r]) * value_unit(), sum[c]);  // multiples of the unit
      }
    }
  });
  EXPECT_EQ(next, groups);
}

// The mean of n coin tosses of probability p has the standard error sqrt(p (1 - p) / n), and a 95 % interval holds p
// in some 95 of 100 experiments.
TEST(Bootstrap, IntervalsHoldTheTruthAsOftenAsTheySay) {
  // Ranks share the experiments.
  const auto world = Communicator::world();
  const auto comm = Communicator::self();
  constexpr std::int64_t tosses = 150, experiments = 200;
  constexpr double p = 0.3;
  std::int64_t held = 0;
  double error_sum = 0;
  for (std::int64_t e = world.rank(); e < experiments; e += world.size()) {
    const CounterRandom coin(static_cast<std::uint64_t>(e), Purpose::quality_sample);
    auto sample = sample_of(comm, tosses, 1, [&](std::int64_t u, int c) {
      return c == 0 && coin.uniform(static_cast<std::uint64_t>(u)) < p ? 1.0 : 0.0;
    });
    const BootstrapInput input{sample.user, sample.group, sample.value, 2, 1, 200, static_cast<std::uint64_t>(e)};
    bootstrap(comm, input, [&](std::int32_t, const ResampledSums& sums) {
      std::vector<double> means;
      double sum = 0, squares = 0;
      for (std::size_t r = 1; r <= 200; ++r) {
        means.push_back(static_cast<double>(sums.column(0)[r]) * value_unit() / static_cast<double>(sums.users()[r]));
        sum += means.back();
        squares += means.back() * means.back();
      }
      error_sum += std::sqrt(squares / 200 - sum * sum / 200 / 200);
      const auto interval = percentile_interval(means);
      held += interval.low <= p && p <= interval.high ? 1 : 0;
    });
  }
  held = world.sum(held);
  error_sum = std::ldexp(static_cast<double>(world.sum(std::llround(std::ldexp(error_sum, 30)))), -30);
  EXPECT_NEAR(error_sum / experiments, std::sqrt(p * (1 - p) / tosses), 0.002);
  EXPECT_GE(held, 180);
  EXPECT_LE(held, 198);
}

TEST(Bootstrap, PercentilesOfAKnownList) {
  std::vector<double> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 7) % 1000);
  const auto interval = percentile_interval(values);
  EXPECT_EQ(interval.low, 25);
  EXPECT_EQ(interval.high, 974);
}

// Lists of all users, given to the ranks in even blocks.
Exposures exposures_of(const Communicator& comm, const Lists& lists, const std::vector<std::int32_t>& group,
                       const std::vector<std::int64_t>& item_users, std::int32_t segments, std::int64_t users) {
  const auto blocks = Distribution::even(std::ssize(lists), comm.size());
  PairTable table;
  std::vector<std::int32_t> mine;
  for (auto u = blocks.begin(comm.rank()); u < blocks.end(comm.rank()); ++u) {
    table.other.insert(table.other.end(), lists[u].begin(), lists[u].end());
    table.row_begin.push_back(std::ssize(table.other));
    mine.push_back(group[u]);
  }
  ItemCounts counts;
  counts.blocks = Distribution::even(std::ssize(item_users), comm.size());
  counts.in_segment.assign(segments, 0);
  for (auto i = counts.blocks.begin(comm.rank()); i < counts.blocks.end(comm.rank()); ++i) {
    counts.users.push_back(item_users[i]);
  }
  return exposures(comm, table, mine, counts, users);
}

TEST(Exposure, ClosedForms) {
  const auto comm = Communicator::world();
  const std::vector<std::int64_t> item_users{8, 4, 2, 1, 0, 16, 16, 16};
  // Everything equally often: Gini 0. One item always: (n - 1) / n. Nothing: NaN.
  const auto equal = exposures_of(comm, {{0, 1, 2, 3}, {4, 5, 6, 7}}, {0, 0}, item_users, 2, 16);
  EXPECT_EQ(equal.overall.coverage, 1);
  EXPECT_EQ(equal.overall.gini, 0);
  EXPECT_NEAR(equal.overall.novelty, (1 + 2 + 3 + 4 + 4 + 0 + 0 + 0) / 8.0, 1e-9);
  EXPECT_TRUE(std::isnan(equal.segments[1].gini) && std::isnan(equal.cold.coverage));
  const auto one = exposures_of(comm, {{3}, {3}, {3}}, {0, 3, 3}, item_users, 2, 16);
  EXPECT_EQ(one.overall.gini, 7.0 / 8);
  EXPECT_EQ(one.overall.coverage, 1.0 / 8);
  EXPECT_NEAR(one.cold.novelty, 4, 1e-9);
  // Shown 1, 2, 3 times and five items never: sum of (2 rank - 9) times = (3 + 2 * 5 + 3 * 7) over 8 * 6.
  const auto steps = exposures_of(comm, {{0, 1, 2}, {1, 2}, {2}}, {0, 1, 3}, item_users, 2, 16);
  EXPECT_DOUBLE_EQ(steps.overall.gini, 34.0 / 48);
  EXPECT_NEAR(steps.overall.novelty, (1 * 1 + 2 * 2 + 3 * 3) / 6.0, 1e-9);
  // Segment 0 has groups 0 and 1: items 0, 1, 2 shown 1, 2, 2 times.
  EXPECT_DOUBLE_EQ(steps.segments[0].gini, (3 + 2 * 5 + 2 * 7) / (8.0 * 5));
  EXPECT_EQ(steps.segments[1].coverage, 1.0 / 8);
  // The cold ones are groups 1 and 3: items 1 and 2 shown once and twice.
  EXPECT_EQ(steps.cold.coverage, 2.0 / 8);
}

// Every third interaction of a user is held out; those of unknown items stand first.
struct SplitPopulation {
  WholePopulation whole;
  Lists held_out;
};

SplitPopulation split(WholePopulation whole) {
  SplitPopulation result{std::move(whole), {}};
  for (std::size_t u = 0; u < result.whole.users.size(); ++u) {
    std::vector<std::int64_t> held, kept;
    auto& list = result.whole.interactions[u];
    for (std::size_t i = 0; i < list.size(); ++i) (i % 3 == 2 ? held : kept).push_back(list[i]);
    if (u % 7 == 3) held.insert(held.begin(), -1);
    list = kept;
    result.held_out.push_back(held);
  }
  result.whole.count();
  return result;
}

PairTable table_of(const Lists& lists, const Distribution& blocks, int rank) {
  PairTable table;
  for (auto u = blocks.begin(rank); u < blocks.end(rank); ++u) {
    table.other.insert(table.other.end(), lists[u].begin(), lists[u].end());
    table.row_begin.push_back(std::ssize(table.other));
  }
  table.weight.assign(table.other.size(), 1.0F);
  return table;
}

TEST(StrategyComparison, MeasuresAreThoseOfPlainLoops) {
  const auto comm = Communicator::world();
  const auto [whole, held_out] = split(whole_population(90, 45, 10, 4, false, 5));
  const auto users = block_distributions(whole.user_count(), comm.size())[1];  // the other ranks have none
  const BlockPopulation block(whole, users, Distribution::even(whole.item_count(), comm.size()), comm.rank());
  const auto validation = block.validation(comm, block.interactions, 3);
  const auto model = fit_recommendations(comm, block.population(), {0, {}, true, &validation, 3});
  const auto found =
      compare_strategies(comm, block.population(), model, table_of(held_out, users, comm.rank()), {6, 100, 3});
  std::vector<std::int64_t> seen;
  for (std::size_t u = 0; u < held_out.size(); ++u) {
    if (!held_out[u].empty()) seen.push_back(std::ssize(whole.interactions[u]));
  }
  std::ranges::sort(seen);
  EXPECT_EQ(found.users, std::ssize(seen));
  EXPECT_EQ(found.cold_at_most, seen[(seen.size() + 3) / 4 - 1]);
  const std::vector<char> chosen(whole.items.size(), 1);
  const auto neighbours = item_neighbours_scores(whole, 100);
  ASSERT_EQ(found.strategies.back().strategy, Strategy::itemcf);
  for (const auto& result : found.strategies) {
    // Sets: overall, cold, segments.
    struct Sums {
      double users = 0, recall = 0, ndcg = 0, hits = 0;
    };
    std::vector<Sums> sums(whole.segments() + 2);
    for (std::size_t u = 0; u < held_out.size(); ++u) {
      const auto& held = held_out[u];
      if (held.empty()) continue;
      auto ranking = result.strategy == Strategy::itemcf
                         ? item_neighbours_ranking(neighbours[u], whole.interactions[u])
                         : reference_ranking(whole, result.strategy, whole.users[u], whole.segment[u],
                                             whole.interactions[u], chosen, model.smoothing, model.blend_weight);
      ranking.resize(std::min<std::size_t>(ranking.size(), 6));
      double hits = 0, gain = 0, ideal = 0;
      for (std::size_t r = 0; r < ranking.size(); ++r) {
        if (!std::ranges::binary_search(held, ranking[r].item)) continue;
        ++hits;
        gain += 1 / std::log2(static_cast<double>(r + 2));
      }
      for (std::size_t r = 0; r < std::min<std::size_t>(6, held.size()); ++r) {
        ideal += 1 / std::log2(static_cast<double>(r + 2));
      }
      const bool cold = std::ssize(whole.interactions[u]) <= found.cold_at_most;
      for (const std::size_t set : {std::size_t{0}, std::size_t{1}, static_cast<std::size_t>(whole.segment[u]) + 2}) {
        if (set == 1 && !cold) continue;
        sums[set].users += 1;
        sums[set].recall += hits / static_cast<double>(held.size());
        sums[set].ndcg += gain / ideal;
        sums[set].hits += hits > 0 ? 1 : 0;
      }
    }
    for (std::size_t set = 0; set < sums.size(); ++set) {
      SCOPED_TRACE(testing::Message() << name_of(result.strategy) << ", set " << set);
      const auto& measured = set == 0 ? result.overall : set == 1 ? result.cold : result.segments[set - 2];
      const auto& expected = sums[set];
      ASSERT_EQ(static_cast<double>(measured.users), expected.users);
      if (expected.users == 0) {
        EXPECT_TRUE(std::isnan(measured.mean[0].value));
        EXPECT_FALSE(measured.tested);
        continue;
      }
      EXPECT_NEAR(measured.mean[0].value, expected.recall / expected.users, 1e-6);
      EXPECT_NEAR(measured.mean[1].value, expected.ndcg / expected.users, 1e-6);
      EXPECT_NEAR(measured.mean[2].value, expected.hits / expected.users, 1e-6);
      const auto& global = found.strategies[0];
      const auto& base = set == 0 ? global.overall : set == 1 ? global.cold : global.segments[set - 2];
      for (std::size_t m = 0; m < 3; ++m) {
        EXPECT_NEAR(measured.gain[m].value, measured.mean[m].value - base.mean[m].value, 1e-9);
        EXPECT_EQ(std::isnan(measured.mean[m].interval.low), measured.users < least_users);
        if (measured.users < least_users) continue;
        EXPECT_LE(measured.mean[m].interval.low, measured.mean[m].value);
        EXPECT_GE(measured.mean[m].interval.high, measured.mean[m].value);
      }
    }
  }
}

TEST(StrategyComparison, TheBitsAreThoseOfOneRank) {
  const auto [whole, held_out] = split(whole_population(90, 45, 10, 4, false, 5));
  const auto run = [&whole = whole, &held_out = held_out](const Communicator& comm) {
    const auto users = Distribution::even(whole.user_count(), comm.size());
    const BlockPopulation block(whole, users, Distribution::even(whole.item_count(), comm.size()), comm.rank());
    const auto validation = block.validation(comm, block.interactions, 3);
    const auto model = fit_recommendations(comm, block.population(), {0, {}, true, &validation, 3});
    return compare_strategies(comm, block.population(), model, table_of(held_out, users, comm.rank()), {6, 100, 3});
  };
  const auto together = run(Communicator::world());
  const auto alone = run(Communicator::self());
  EXPECT_EQ(together.critical_value, alone.critical_value);
  EXPECT_EQ(together.claims, alone.claims);
  for (std::size_t s = 0; s < 4; ++s) {
    const auto expect_same = [](const StrategyMeasures& a, const StrategyMeasures& b) {
      const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
      EXPECT_EQ(a.users, b.users);
      EXPECT_EQ(a.beats_global, b.beats_global);
      for (std::size_t m = 0; m < 3; ++m) {
        EXPECT_TRUE(same(a.mean[m].value, b.mean[m].value) && same(a.gain[m].interval.low, b.gain[m].interval.low) &&
                    same(a.gain[m].interval.high, b.gain[m].interval.high));
      }
      EXPECT_TRUE(same(a.exposure.coverage, b.exposure.coverage) && same(a.exposure.novelty, b.exposure.novelty) &&
                  same(a.exposure.gini, b.exposure.gini));
    };
    expect_same(together.strategies[s].overall, alone.strategies[s].overall);
    expect_same(together.strategies[s].cold, alone.strategies[s].cold);
    for (std::size_t g = 0; g < together.strategies[s].segments.size(); ++g) {
      expect_same(together.strategies[s].segments[g], alone.strategies[s].segments[g]);
    }
  }
}

// Users of `segments` segments with about 12 interactions drawn by popularity 1 / (1 + item), a share `structure` of
// them among their segment's own items. Embeddings say nothing.
WholePopulation drawn_population(std::int64_t users, std::int64_t items, std::int32_t segments, double structure,
                                 unsigned seed) {
  auto whole = whole_population(users, items, 10, segments + 1, false, seed);
  std::mt19937 random(seed + 100);
  std::vector<double> weight;
  for (std::int64_t i = 0; i < items; ++i) weight.push_back(1 / static_cast<double>(i + 3));
  std::discrete_distribution<std::int64_t> draw(weight.begin(), weight.end());
  std::uniform_real_distribution<double> uniform(0, 1);
  for (std::int64_t u = 0; u < users; ++u) {
    const auto segment = whole.segment[u];
    auto& list = whole.interactions[u];
    list.clear();
    for (int n = 0; n < 12; ++n) {
      auto item = draw(random);
      if (uniform(random) < structure) item = item / segments * segments + segment;
      if (item < items) list.push_back(item);
    }
    std::ranges::sort(list);
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return whole;
}

StrategyComparison compare(const Communicator& comm, const SplitPopulation& data, std::int64_t k, std::uint64_t seed) {
  const auto users = Distribution::even(data.whole.user_count(), comm.size());
  const BlockPopulation block(data.whole, users, Distribution::even(data.whole.item_count(), comm.size()), comm.rank());
  // The embeddings of these populations are made, not trained, so they do not know any pairs.
  const auto validation = block.validation(comm, block.interactions, seed);
  const auto model = fit_recommendations(comm, block.population(), {0, {}, true, &validation, seed});
  return compare_strategies(comm, block.population(), model, table_of(data.held_out, users, comm.rank()),
                            {k, 400, seed});
}

TEST(StrategyComparison, NothingIsClaimedWhereThereAreNoSegments) {
  // Ranks share the seeds: the other tests say that a comparison by one rank is that by all.
  const auto world = Communicator::world();
  const auto comm = Communicator::self();
  for (auto seed = static_cast<unsigned>(world.rank()); seed < 20; seed += static_cast<unsigned>(world.size())) {
    const auto found = compare(comm, split(drawn_population(250, 60, 3, 0, seed)), 10, seed);
    for (const auto& result : found.strategies) {
      EXPECT_FALSE(result.overall.beats_global) << name_of(result.strategy) << ", seed " << seed;
      EXPECT_FALSE(result.cold.beats_global) << name_of(result.strategy) << ", seed " << seed;
      for (const auto& segment : result.segments) EXPECT_FALSE(segment.beats_global) << name_of(result.strategy);
    }
  }
}

TEST(StrategyComparison, PlantedTastesAreClaimed) {
  const auto comm = Communicator::world();
  // Embeddings that tell the segments apart: every item and user points to its own.
  auto whole = drawn_population(1500, 60, 3, 0.8, 1);
  const auto point = [&](std::vector<float>& row, std::int64_t segment) {
    std::ranges::fill(row, 0.05F);
    row[segment] = 1;
  };
  for (std::int64_t i = 0; i < whole.item_count(); ++i) point(whole.items[i], i % 3);
  for (std::int64_t u = 0; u < whole.user_count(); ++u) point(whole.users[u], whole.segment[u]);
  for (std::int64_t s = 0; s < whole.segments(); ++s) point(whole.centroid[s], s);
  const auto found = compare(comm, split(std::move(whole)), 10, 1);
  EXPECT_LT(found.smoothing, 1e6);
  EXPECT_GT(found.blend_weight, 0);
  EXPECT_EQ(found.strategies[0].overall.gain[1].value, 0);
  EXPECT_FALSE(found.strategies[0].overall.tested);
  const auto& segment = found.strategies[1];
  EXPECT_TRUE(segment.overall.beats_global && segment.cold.beats_global);
  for (std::size_t s = 0; s < 3; ++s) EXPECT_TRUE(segment.segments[s].beats_global) << s;
  EXPECT_FALSE(segment.segments[3].tested);  // nobody is in it
  EXPECT_TRUE(found.strategies[3].overall.beats_global);
  EXPECT_GT(segment.overall.gain[1].interval.low, 0);
}

}  // namespace
}  // namespace cohort
