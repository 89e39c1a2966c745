// Users from outside joined to the most similar ones of a dataset, against every pair looked at.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "core/ragged.hpp"
#include "graph/user_similarity.hpp"
#include "support/pair_tables.hpp"

namespace cohort {
namespace {

using testing_support::Pairs;
using testing_support::table_of;

constexpr std::int64_t users = 40;
constexpr std::int64_t items = 25;
constexpr std::int64_t asked_users = 12;

// Quarters, so that sums are exact whatever their order; some weigh nothing.
Pairs drawn_pairs(std::int64_t rows, int count, unsigned seed) {
  std::mt19937 random(seed);
  Pairs pairs;
  for (int i = 0; i < count; ++i) {
    const auto row = static_cast<std::int64_t>(random() % static_cast<unsigned>(rows - 1));
    const auto item = static_cast<std::int64_t>(random() % items) * static_cast<std::int64_t>(random() % 4 > 0);
    pairs[{row, item}] = 0.25F * static_cast<float>(random() % 9);
  }
  return pairs;
}

struct Found {
  double score;  // what orders
  double weight;
  std::int64_t user;
};

TEST(SimilarTo, IsEveryPairLookedAt) {
  const auto comm = Communicator::world();
  const auto stored = drawn_pairs(users, 300, 1);
  auto asked = drawn_pairs(asked_users, 80, 2);
  // The first is user 3 as it is; the second is user 5, which says so.
  for (std::int64_t item = 0; item < items; ++item) {
    for (const std::int64_t row : {0, 1}) {
      asked.erase({row, item});
      const auto same = stored.find({row == 0 ? 3 : 5, item});
      if (same != stored.end()) asked[{row, item}] = same->second;
    }
  }
  Dataset dataset;
  dataset.users_alone = true;
  dataset.users.distribution = Distribution::even(users, comm.size());
  dataset.items.distribution = Distribution::even(items, comm.size());
  dataset.interactions =
      table_of(stored, dataset.users.distribution.begin(comm.rank()), dataset.users.distribution.end(comm.rank()));
  const auto blocks = Distribution::even(asked_users, comm.size());
  const auto mine = table_of(asked, blocks.begin(comm.rank()), blocks.end(comm.rank()));
  std::vector<std::int64_t> self(mine.rows(), -1);
  for (std::int64_t u = 0; u < mine.rows(); ++u) {
    if (blocks.begin(comm.rank()) + u == 1) self[u] = 5;
  }
  std::map<std::int64_t, std::int64_t> item_users;
  for (const auto& [place, weight] : stored) item_users[place.second] += weight > 0 ? 1 : 0;

  for (const auto similarity : {UserSimilarity::cosine, UserSimilarity::count}) {
    for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{12}}) {
      GraphConfig options;
      options.weight = EdgeWeighting::raw;
      options.similarity = similarity;
      options.neighbours = 6;
      options.max_item_users = limit;
      const auto value = [&](const Pairs& pairs, std::int64_t row, std::int64_t item) {
        const auto found = pairs.find({row, item});
        if (found == pairs.end() || found->second == 0 || (limit > 0 && item_users[item] > limit)) return 0.0;
        return similarity == UserSimilarity::cosine ? static_cast<double>(found->second) : 1.0;
      };
      const auto product = [&](const Pairs& a, std::int64_t i, const Pairs& b, std::int64_t j) {
        double sum = 0;
        for (std::int64_t item = 0; item < items; ++item) sum += value(a, i, item) * value(b, j, item);
        return sum;
      };
      for (const std::int64_t memory : {similarity_memory, std::int64_t{2000}}) {
        UserIndex index(comm, dataset, options, memory);
        const auto edges = index.most_similar(mine, self);
        const auto again = index.most_similar(mine, self);
        EXPECT_EQ(edges.other, again.other);
        EXPECT_EQ(edges.weight, again.weight);
        ASSERT_EQ(edges.rows(), mine.rows());
        bool any = false;
        for (std::int64_t u = 0; u < mine.rows(); ++u) {
          const auto row = blocks.begin(comm.rank()) + u;
          std::vector<Found> expected;
          for (std::int64_t user = 0; user < users; ++user) {
            const double both = product(asked, row, stored, user);
            if (both == 0 || user == self[u]) continue;
            const double norm = product(stored, user, stored, user);
            const bool cosine = similarity == UserSimilarity::cosine;
            expected.push_back({cosine ? both * both / norm : both,
                                cosine ? both / std::sqrt(norm * product(asked, row, asked, row)) : both, user});
          }
          std::ranges::sort(expected, [](const Found& a, const Found& b) {
            return a.score != b.score ? a.score > b.score : a.user < b.user;
          });
          expected.resize(std::min<std::size_t>(expected.size(), 6));
          std::ranges::sort(expected, {}, &Found::user);
          const auto places = places_of(edges.row_begin, u);
          ASSERT_EQ(std::ssize(places), std::ssize(expected)) << row;
          std::size_t i = 0;
          for (const auto k : places) {
            EXPECT_EQ(edges.other[k], expected[i].user);
            EXPECT_FLOAT_EQ(edges.weight[k], static_cast<float>(expected[i++].weight));
            any = true;
          }
          const bool itself = std::ranges::any_of(expected, [](const Found& f) { return f.user == 3; });
          EXPECT_TRUE(row != 0 || itself);  // nobody is more like it
        }
        EXPECT_TRUE(comm.any(any));
      }
    }
  }
}

}  // namespace
}  // namespace cohort
