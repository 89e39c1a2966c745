// The graph of users joined by what they share and by friendship, against every pair looked at.
#include "graph/user_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "core/error.hpp"
#include "graph/user_similarity.hpp"
#include "support/pair_tables.hpp"

namespace cohort {
namespace {

using testing_support::Pairs;
using testing_support::table_of;

struct Input {
  std::int64_t users = 0;
  std::int64_t items = 0;
  Pairs interactions;
  Pairs social;  // both directions

  Dataset dataset(const Communicator& comm) const {
    Dataset result;
    result.users_alone = true;
    result.users.distribution = Distribution::even(users, comm.size());
    result.items.distribution = Distribution::even(items, comm.size());
    const auto first = result.users.distribution.begin(comm.rank());
    const auto last = result.users.distribution.end(comm.rank());
    result.interactions = table_of(interactions, first, last);
    if (!social.empty()) result.social = table_of(social, first, last);
    return result;
  }
};

// Some users have nothing; with `tail`, few items are in most hands.
Input random_input(std::int64_t users, std::int64_t items, int interactions, int friendships, bool tail) {
  Input input{users, items, {}, {}};
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform;
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(uniform(random) * static_cast<double>(bound));
  };
  for (int i = 0; i < interactions; ++i) {
    const auto item =
        tail ? static_cast<std::int64_t>(std::pow(uniform(random), 4) * static_cast<double>(items)) : below(items);
    input.interactions[{below(users - 2), item}] = 0.25F * static_cast<float>(below(9));
  }
  for (int i = 0; i < friendships; ++i) {
    const auto a = below(users);
    const auto b = below(users);
    if (a == b) continue;
    input.social[{a, b}] = input.social[{b, a}] = static_cast<float>(1 + below(3));
  }
  return input;
}

// All are tied with all: everybody has the one item.
Input one_item_for_all() {
  Input input{11, 1, {}, {}};
  for (std::int64_t u = 0; u < input.users; ++u) input.interactions[{u, 0}] = 1;
  return input;
}

// Ratios that are equal, but whose roots are rounded apart: 3 of (9, 6) items beside 1 of (1, 6).
Input equal_ratios() {
  Input input{3, 16, {}, {}};
  for (std::int64_t i = 0; i < 6; ++i) input.interactions[{1, i}] = 1;
  for (std::int64_t i = 3; i < 12; ++i) input.interactions[{2, i}] = 1;
  input.interactions[{0, 0}] = 1;
  return input;
}

double edge_weight(EdgeWeighting scheme, double value) {
  return scheme == EdgeWeighting::binary ? 1.0 : scheme == EdgeWeighting::raw ? value : std::log1p(value);
}

struct Expected {
  Pairs edges;
  std::int64_t items_passed_over = 0;
  std::int64_t interactions_passed_over = 0;
};

Expected expected_neighbours(const Input& input, const GraphConfig& options) {
  std::map<std::int64_t, std::int64_t> item_users;
  Pairs taken;
  for (const auto& [pair, weight] : input.interactions) {
    const auto value = static_cast<float>(edge_weight(options.weight, static_cast<double>(weight)));
    if (value == 0) continue;
    taken[pair] = options.similarity == UserSimilarity::count ? 1.0F : value;
    ++item_users[pair.second];
  }
  Expected result;
  for (const auto& [item, users] : item_users) {
    if (options.max_item_users == 0 || users <= options.max_item_users) continue;
    ++result.items_passed_over;
    result.interactions_passed_over += users;
    std::erase_if(taken, [item = item](const auto& entry) { return entry.first.second == item; });
  }
  std::vector<double> row(static_cast<std::size_t>(input.users * input.items));
  for (const auto& [pair, weight] : taken) {
    row[static_cast<std::size_t>(pair.first * input.items + pair.second)] = static_cast<double>(weight);
  }
  const auto dot = [&](std::int64_t a, std::int64_t b) {
    const auto* const left = row.data() + a * input.items;
    return std::inner_product(left, left + input.items, row.data() + b * input.items, 0.0);
  };
  for (std::int64_t u = 0; u < input.users; ++u) {
    struct Other {
      long double rank;  // the square of the cosine in twice the digits, or the count
      float weight;
      std::int64_t user;
    };
    std::vector<Other> others;
    for (std::int64_t v = 0; v < input.users; ++v) {
      const auto shared = dot(u, v);
      if (u == v || shared == 0) continue;
      const auto norms = dot(u, u) * dot(v, v);
      if (options.similarity == UserSimilarity::count) {
        others.push_back({shared, static_cast<float>(edge_weight(options.weight, shared)), v});
      } else {
        others.push_back(
            {static_cast<long double>(shared) * shared / dot(v, v), static_cast<float>(shared / std::sqrt(norms)), v});
      }
    }
    std::ranges::stable_sort(others, [](const Other& a, const Other& b) { return a.rank > b.rank; });
    if (std::ssize(others) > options.neighbours) others.resize(options.neighbours);
    for (const auto& other : others) result.edges[{u, other.user}] = result.edges[{other.user, u}] = other.weight;
  }
  return result;
}

std::vector<GraphConfig> settings() {
  std::vector<GraphConfig> all;
  for (const auto similarity : {UserSimilarity::cosine, UserSimilarity::count}) {
    for (const auto weight : {EdgeWeighting::binary, EdgeWeighting::log, EdgeWeighting::raw}) {
      for (const std::int64_t neighbours : {1, 4, 1000}) {
        for (const std::int64_t limit : {0, 9}) {
          if (limit > 0 && neighbours != 4) continue;
          GraphConfig options;
          options.kind = GraphKind::user;
          options.similarity = similarity;
          options.weight = weight;
          options.neighbours = neighbours;
          options.max_item_users = limit;
          all.push_back(options);
        }
      }
    }
  }
  return all;
}

TEST(SimilarUsers, AreThoseOfEveryPairLookedAt) {
  const auto comm = Communicator::world();
  for (const auto& input : {random_input(37, 29, 260, 0, false), random_input(60, 50, 500, 0, true), one_item_for_all(),
                            equal_ratios(), Input{5, 3, {}, {}}, random_input(3, 2, 2, 0, false)}) {
    const auto dataset = input.dataset(comm);
    const auto first = dataset.users.distribution.begin(comm.rank());
    const auto last = dataset.users.distribution.end(comm.rank());
    for (const auto& options : settings()) {
      if (input.users < 20 && options.weight != EdgeWeighting::binary) continue;
      const auto expected = expected_neighbours(input, options);
      const auto reference = table_of(expected.edges, first, last);
      std::vector<std::int64_t> memories{similarity_memory};
      if (options.neighbours == 4 && options.weight == EdgeWeighting::log) memories.push_back(4000);
      if (memories.size() == 2 && options.max_item_users == 0 && input.users < 40) memories.push_back(1);
      for (const auto memory : memories) {
        const auto found = similar_users(comm, dataset, options, memory);
        EXPECT_EQ(found.edges.row_begin, reference.row_begin);
        EXPECT_EQ(found.edges.other, reference.other);
        EXPECT_EQ(found.edges.weight, reference.weight);
        EXPECT_EQ(found.passed_over.items, expected.items_passed_over);
        EXPECT_EQ(found.passed_over.interactions, expected.interactions_passed_over);
        EXPECT_TRUE(memory != similarity_memory || found.passes == 1) << found.passes;
        EXPECT_TRUE(memory != 1 || found.passes == input.users) << found.passes;
      }
    }
  }
}

// Among more users than are compared at a time (graph/pass_comparison.cpp), nearly all of whom have nothing; those who
// have something have so few items, so many, and more than a byte counts.
TEST(SimilarUsers, AreTheSameWhereTheyAreFarApart) {
  constexpr std::int64_t distance = 4500;
  Input near{120, 300, {}, {}};
  std::mt19937 random(11);
  for (std::int64_t u = 0; u < near.users; ++u) {
    const std::int64_t has = u % 3 == 0 ? 8 : u % 3 == 1 ? 110 : 270;
    for (std::int64_t i = 0; i < has; ++i) {
      near.interactions[{u, (u + i * 7) % near.items}] = 0.25F * static_cast<float>(1 + random() % 8);
    }
  }
  Input far{near.users * distance, near.items, {}, {}};
  for (const auto& [pair, weight] : near.interactions)
    far.interactions[{pair.first * distance + 17, pair.second}] = weight;
  const auto comm = Communicator::world();
  const auto dataset = far.dataset(comm);
  const auto first = dataset.users.distribution.begin(comm.rank());
  const auto last = dataset.users.distribution.end(comm.rank());
  for (const auto& options : settings()) {
    if (options.neighbours != 4 || options.max_item_users != 0) continue;
    Pairs expected;
    for (const auto& [pair, weight] : expected_neighbours(near, options).edges) {
      expected[{pair.first * distance + 17, pair.second * distance + 17}] = weight;
    }
    const auto reference = table_of(expected, first, last);
    const auto found = similar_users(comm, dataset, options);
    EXPECT_EQ(found.edges.row_begin, reference.row_begin);
    EXPECT_EQ(found.edges.other, reference.other);
    EXPECT_EQ(found.edges.weight, reference.weight);
  }
}

TEST(SimilarUsers, OfEqualRatiosTheSmallerNumberIsTaken) {
  const auto comm = Communicator::world();
  GraphConfig options;
  options.neighbours = 1;
  const auto input = equal_ratios();
  ASSERT_NE(1.0 / std::sqrt(1.0 * 6.0), 3.0 / std::sqrt(9.0 * 6.0));
  const auto expected = expected_neighbours(input, options).edges;
  EXPECT_TRUE(expected.contains({0, 1}));
  EXPECT_FALSE(expected.contains({0, 2}));
  const auto found = similar_users(comm, input.dataset(comm), options);
  const auto of_user_1 = comm.all_gather(std::span<const std::int64_t>(found.edges.other)).data;
  EXPECT_EQ(of_user_1, (std::vector<std::int64_t>{1, 0, 2, 1}));  // 0-1, and 2's nearest is 1
}

TEST(SimilarUsers, TheLimitChosenKeepsComparisonsInBounds) {
  const auto comm = Communicator::world();
  // One item in everybody's hands, and many in a few: 3,000 users, 6,000 interactions.
  Input input{3000, 1001, {}, {}};
  for (std::int64_t u = 0; u < input.users; ++u) {
    input.interactions[{u, 0}] = 1;
    input.interactions[{u, 1 + u % 1000}] = 1;
  }
  GraphConfig options;
  options.neighbours = 5;
  const auto all = similar_users(comm, input.dataset(comm), options);
  EXPECT_EQ(all.passed_over.items, 0);  // 3000^2 + 1000 * 3^2 pairs of users, and 2000 * 6000 are allowed
  input.users = 7000;
  for (std::int64_t u = 3000; u < input.users; ++u) input.interactions[{u, 0}] = 1;
  const auto fewer = similar_users(comm, input.dataset(comm), options);
  EXPECT_EQ(fewer.passed_over.items, 1);  // 7000^2 and 2000 * 10000
  EXPECT_EQ(fewer.passed_over.interactions, 7000);
  EXPECT_GE(fewer.passed_over.max_item_users, comparisons_an_interaction);
  EXPECT_LT(fewer.passed_over.max_item_users, 7000);
  EXPECT_EQ(comm.sum(fewer.edges.size()), 3000 * 2);
}

TEST(UserGraph, AddsFriendshipsToWhatIsShared) {
  const auto comm = Communicator::world();
  for (const auto& input :
       {random_input(37, 29, 120, 60, false), random_input(41, 3, 0, 50, false), Input{4, 0, {}, {}}}) {
    for (const double social_weight : {1.0, 0.3, 0.0}) {
      GraphConfig options;
      options.kind = GraphKind::user;
      options.neighbours = 3;
      options.social_weight = social_weight;
      auto dataset = input.dataset(comm);
      dataset.neighbours = similar_users(comm, dataset, options).edges;
      const auto graph = block_graph(comm, dataset, options);
      auto expected = expected_neighbours(input, options).edges;
      for (const auto& [pair, weight] : input.social) {
        const auto social = static_cast<float>(social_weight * static_cast<double>(weight));
        const auto sum = static_cast<double>(social) + static_cast<double>(expected[pair]);
        expected[pair] = static_cast<float>(sum);
      }
      std::erase_if(expected, [](const auto& entry) { return entry.second == 0; });
      EXPECT_EQ(graph.users, input.users);
      EXPECT_EQ(graph.nodes(), input.users);
      const auto reference =
          table_of(expected, graph.distribution.begin(comm.rank()), graph.distribution.end(comm.rank()));
      EXPECT_EQ(graph.row_begin, reference.row_begin);
      EXPECT_EQ(graph.weight, reference.weight);
      ASSERT_EQ(graph.column.size(), reference.other.size());
      for (std::size_t k = 0; k < graph.column.size(); ++k) EXPECT_EQ(graph.column[k].value, reference.other[k]);
    }
  }
}

TEST(UserGraph, AWeightBeyondFloatIsTheUsersError) {
  const auto comm = Communicator::world();
  auto input = random_input(9, 4, 20, 0, false);
  input.social[{7, 8}] = input.social[{8, 7}] = std::numeric_limits<float>::max();
  GraphConfig options;
  options.social_weight = 4;
  EXPECT_THROW(user_graph(comm, input.dataset(comm), options), InputError);
}

}  // namespace
}  // namespace cohort
