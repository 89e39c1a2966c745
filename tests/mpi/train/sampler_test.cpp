// Positives and triples against what can be counted on the whole data set, the same for every way to put shards on
// ranks.
#include "train/sampler.hpp"

#include <gtest/gtest.h>

#include <map>

#include "support/train_support.hpp"

namespace cohort {
namespace {

using testing_support::NodeTriple;
using testing_support::SmallData;

TrainConfig config(SamplerKind sampler, std::int64_t batch) {
  TrainConfig result;
  result.sampler = sampler;
  result.batch = batch;
  result.seed = 9;
  return result;
}

std::vector<SmallData> data_sets() {
  return {testing_support::shop(40, 25, 200, true), testing_support::friends_only(30, 90)};
}

bool sampled(const SmallData& data, std::int64_t user) {
  const auto positives = std::ssize(data.positives(user));
  return positives > 0 && positives < (data.items > 0 ? data.items : data.users - 1);
}

TEST(Positives, AreNumberedInTheOrderOfUsers) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      const auto set = testing_support::training_set(comm, data, cuts);
      const auto& positives = set.positives;
      std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> numbers;
      std::int64_t total = 0;
      std::int64_t users = 0;
      for (std::int64_t user = 0; user < data.users; ++user) {
        numbers[user] = {total, users};
        if (!sampled(data, user)) continue;
        total += std::ssize(data.positives(user));
        ++users;
      }
      EXPECT_EQ(positives.total, total);
      EXPECT_EQ(positives.sampled_users, users);
      EXPECT_EQ(positives.candidates, data.items > 0 ? data.items : data.users);
      const auto& graph = set.sharded.graph;
      for (std::int64_t row = 0; row < graph.owned(); ++row) {
        const auto node = graph.node[row];
        std::vector<NodeId> expected;
        if (node.value < data.users) {
          for (const auto positive : data.positives(node.value)) expected.emplace_back(positive);
        }
        const auto found = positives.of(row);
        EXPECT_EQ(std::vector<NodeId>(found.begin(), found.end()), expected);
        if (node.value >= data.users) continue;
        EXPECT_EQ(positives.can_be_sampled(row, node), sampled(data, node.value));
        EXPECT_EQ(positives.first_number[row], numbers[node.value].first);
        EXPECT_EQ(positives.user_number[row], numbers[node.value].second);
        // Its negatives: every other candidate, by NodeId.
        std::vector<std::int64_t> negatives;
        for (std::int64_t rank = 0; rank < positives.negatives(row, node); ++rank) {
          negatives.push_back(positives.negative(row, node, rank).value);
        }
        std::vector<std::int64_t> others;
        for (std::int64_t c = 0; c < positives.candidates; ++c) {
          const auto candidate = positives.first_candidate.value + c;
          if (candidate != node.value && !data.positives(node.value).contains(candidate)) others.push_back(candidate);
        }
        EXPECT_EQ(negatives, others);
      }
    }
  }
}

TEST(TripleSampler, TriplesAreValidAndTheSameForEveryCut) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    for (const auto sampler : {SamplerKind::interactions, SamplerKind::lightgcn}) {
      std::vector<NodeTriple> expected;
      for (const auto& cuts : testing_support::all_cuts(comm)) {
        const auto set = testing_support::training_set(comm, data, cuts);
        const auto triples = testing_support::triples_of_epoch(comm, set, config(sampler, 30), 2);
        ASSERT_EQ(std::ssize(triples), set.positives.total);
        for (std::size_t i = 0; i < triples.size(); ++i) {
          const auto& [number, user, positive, negative] = triples[i];
          ASSERT_EQ(number, static_cast<std::int64_t>(i));
          const auto positives = data.positives(user);
          ASSERT_TRUE(positives.contains(positive));
          ASSERT_FALSE(positives.contains(negative));
          ASSERT_NE(negative, user);
          ASSERT_GE(negative, data.items > 0 ? data.users : 0);
          ASSERT_LT(negative, data.users + data.items);
        }
        if (expected.empty()) expected = triples;
        EXPECT_EQ(triples, expected) << data.name << " " << static_cast<int>(sampler);
        EXPECT_EQ(testing_support::triples_of_epoch(comm, set, config(sampler, 17), 2), expected)
            << "triples hang on the batch";
        EXPECT_NE(testing_support::triples_of_epoch(comm, set, config(sampler, 30), 3), expected);
      }
    }
  }
}

TEST(TripleSampler, InteractionsComeOnceAnEpochInRandomOrder) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    const auto set =
        testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
    const auto triples = testing_support::triples_of_epoch(comm, set, config(SamplerKind::interactions, 30), 1);
    std::vector<std::pair<std::int64_t, std::int64_t>> found;
    for (const auto& triple : triples) found.emplace_back(triple.user, triple.positive);
    EXPECT_FALSE(std::ranges::is_sorted(found));
    std::ranges::sort(found);
    std::vector<std::pair<std::int64_t, std::int64_t>> expected;
    for (std::int64_t user = 0; user < data.users; ++user) {
      if (!sampled(data, user)) continue;
      for (const auto positive : data.positives(user)) expected.emplace_back(user, positive);
    }
    EXPECT_EQ(found, expected);
  }
}

/// Pearson's statistic over its degrees of freedom, near 1 where the counts are what is expected.
double chi_square(const std::map<std::int64_t, double>& expected, const std::map<std::int64_t, double>& found) {
  double sum = 0;
  for (const auto& [key, count] : expected) {
    const auto place = found.find(key);
    const double difference = (place == found.end() ? 0.0 : place->second) - count;
    sum += difference * difference / count;
  }
  return sum / static_cast<double>(std::ssize(expected) - 1);
}

TEST(TripleSampler, UsersPositivesAndNegativesAreUniform) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    const auto set =
        testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
    std::map<std::int64_t, double> users;
    std::map<std::int64_t, double> expected_users;
    std::map<std::int64_t, double> pairs;  // user * 1000 + positive
    std::map<std::int64_t, double> expected_pairs;
    std::map<std::int64_t, double> negatives;  // of every sampler's triples, user * 1000 + negative
    std::map<std::int64_t, double> expected_negatives;
    const auto see_negatives = [&](const std::vector<NodeTriple>& triples) {
      for (const auto& triple : triples) {
        ++negatives[triple.user * 1000 + triple.negative];
        const auto positives = data.positives(triple.user);
        const std::int64_t candidates = data.items > 0 ? data.items : data.users;
        const std::int64_t first = data.items > 0 ? data.users : 0;
        std::vector<std::int64_t> others;
        for (std::int64_t c = first; c < first + candidates; ++c) {
          if (c != triple.user && !positives.contains(c)) others.push_back(c);
        }
        for (const auto other : others) {
          expected_negatives[triple.user * 1000 + other] += 1.0 / static_cast<double>(others.size());
        }
      }
    };
    for (std::int64_t epoch = 1; epoch <= 24; ++epoch) {
      const auto drawn = testing_support::triples_of_epoch(comm, set, config(SamplerKind::lightgcn, 200), epoch);
      for (const auto& triple : drawn) {
        ++users[triple.user];
        ++pairs[triple.user * 1000 + triple.positive];
      }
      see_negatives(epoch % 2 == 0
                        ? drawn
                        : testing_support::triples_of_epoch(comm, set, config(SamplerKind::interactions, 200), epoch));
    }
    const auto draws = 24.0 * static_cast<double>(set.positives.total);
    for (std::int64_t user = 0; user < data.users; ++user) {
      if (!sampled(data, user)) continue;
      expected_users[user] = draws / static_cast<double>(set.positives.sampled_users);
      const auto positives = data.positives(user);
      for (const auto positive : positives) {
        expected_pairs[user * 1000 + positive] = expected_users[user] / static_cast<double>(positives.size());
      }
    }
    // Standard deviations of these are about 0.2, 0.1 and 0.05.
    EXPECT_NEAR(chi_square(expected_users, users), 1.0, 0.8) << data.name;
    EXPECT_NEAR(chi_square(expected_pairs, pairs), 1.0, 0.4) << data.name;
    EXPECT_NEAR(chi_square(expected_negatives, negatives), 1.0, 0.2) << data.name;
  }
}

TEST(BatchSize, AutoIsAtLeast2048AndAtMost64StepsAnEpoch) {
  EXPECT_EQ(batch_size(7, 1'000'000), 7);
  EXPECT_EQ(batch_size(0, 10), 2048);
  EXPECT_EQ(batch_size(0, std::int64_t{2048} * 64), 2048);
  EXPECT_EQ(batch_size(0, 2048 * 64 + 1), 2049);
}

}  // namespace
}  // namespace cohort
