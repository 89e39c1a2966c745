// Explanations against dense powers of the normalised adjacency in float64: every contribution, and that they add up to
// the difference of the distances of the stored embedding. To the bit between ways to put the shards on ranks.
#include "explain/explanation.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/error.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;

constexpr std::int64_t users = 30;
constexpr std::int64_t items = 20;
constexpr std::int32_t segments = 4;

// Friends, and users without any edge.
SmallGraph town() {
  auto graph = testing_support::random_bipartite(users - 2, items + 2, 130, 3);
  graph.users = users;
  graph.entries.erase(graph.entries.lower_bound({7, 0}), graph.entries.lower_bound({8, 0}));
  std::erase_if(graph.entries, [](const auto& entry) {
    return entry.first.second == 7 || (entry.first.first >= users - 2 && entry.first.first < users) ||
           (entry.first.second >= users - 2 && entry.first.second < users);
  });
  for (std::int64_t user = 8; user + 5 < users - 2; user += 3) graph.edge(user, user + 5, 2.0F);
  return graph;
}

double drawn(std::int64_t row, std::int64_t column, unsigned salt) {
  std::mt19937 random(static_cast<unsigned>(row * 1000 + column) * 7U + salt);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

// A whole model, known on every rank.
struct Case {
  SmallGraph graph = town();
  std::int64_t layers;
  bool spherical;
  Dense base;
  Dense embedding;
  std::vector<std::vector<float>> centroid;
  std::vector<std::int32_t> segment;
  std::vector<std::int32_t> runner_up;
  std::vector<double> difference;

  Case(std::int64_t layer_count, std::int64_t columns, bool is_spherical)
      : layers(layer_count), spherical(is_spherical), base(users + items, columns), embedding(users + items, columns) {
    for (std::int64_t node = 0; node < base.rows; ++node) {
      for (std::int64_t c = 0; c < columns; ++c) base.at(node, c) = drawn(node, c, 1);
    }
    embedding = testing_support::mean_of_layers(graph, base, layers);
    for (std::int64_t s = 0; s < segments; ++s) {
      std::vector<float> row;
      double square = 0;
      for (std::int64_t c = 0; c < columns; ++c) {
        row.push_back(static_cast<float>(0.3 * drawn(s, c, 2)));
        square += static_cast<double>(row.back()) * static_cast<double>(row.back());
      }
      for (auto& value : row) value = spherical ? static_cast<float>(value / std::sqrt(square)) : value;
      centroid.push_back(row);
    }
    for (std::int64_t u = 0; u < users; ++u) {
      std::vector<std::pair<double, std::int32_t>> order;
      for (std::int32_t s = 0; s < segments; ++s) order.emplace_back(distance(u, s), s);
      std::ranges::sort(order);
      segment.push_back(order[0].second);
      runner_up.push_back(order[1].second);
      difference.push_back(order[1].first - order[0].first);
    }
  }
  double stored(std::int64_t u, std::int64_t c) const {
    return static_cast<double>(static_cast<float>(embedding.at(u, c)));
  }
  double length(std::int64_t u) const {
    double square = 0;
    for (std::int64_t c = 0; c < base.columns; ++c) square += stored(u, c) * stored(u, c);
    return std::sqrt(square);
  }
  double distance(std::int64_t u, std::int32_t s) const {
    double sum = 0;
    for (std::int64_t c = 0; c < base.columns; ++c) {
      const auto y = static_cast<double>(centroid[s][c]);
      sum += spherical ? stored(u, c) * y : (stored(u, c) - y) * (stored(u, c) - y);
    }
    return spherical ? 1 - sum / length(u) : sum;
  }
  // A row of any matrix times what a user's embedding is multiplied with.
  double product(const Dense& rows, std::int64_t row, std::int64_t u) const {
    double sum = 0;
    for (std::int64_t c = 0; c < base.columns; ++c) {
      const auto off = static_cast<double>(centroid[segment[u]][c]) - static_cast<double>(centroid[runner_up[u]][c]);
      sum += rows.at(row, c) * off;
    }
    return spherical ? sum / length(u) : 2 * sum;
  }
  // sum over l < layers of Ahat^l E.
  Dense sums() const {
    Dense result(base.rows, base.columns);
    if (layers == 0) return result;
    result = testing_support::mean_of_layers(graph, base, layers - 1);
    for (auto& value : result.values) value *= static_cast<double>(layers);
    return result;
  }
  // This rank's part of segments.h5.
  SegmentsFile file(const Communicator& comm) const {
    SegmentsFile result;
    result.users.distribution = Distribution::even(users, comm.size());
    result.items.distribution = Distribution::even(items, comm.size());
    const auto& blocks = result.users.distribution;
    auto& found = result.segments;
    found.users = Matrix(blocks.count(comm.rank()), base.columns);
    for (std::int64_t i = 0; i < found.users.rows(); ++i) {
      const auto user = blocks.begin(comm.rank()) + i;
      found.segment.push_back(segment[user]);
      for (std::int64_t c = 0; c < base.columns; ++c) found.users.row(i)[c] = static_cast<float>(stored(user, c));
    }
    found.centroid = Matrix(segments, base.columns);
    found.size.assign(segments, 0);
    for (std::int64_t s = 0; s < segments; ++s) std::ranges::copy(centroid[s], found.centroid.row(s));
    for (const auto s : segment) ++found.size[s];
    return result;
  }
};

std::vector<Case> cases() {
  std::vector<Case> result;
  result.emplace_back(0, 10, false);
  result.emplace_back(3, 10, false);
  result.emplace_back(2, 33, true);
  return result;
}

// Calls check(case, input) for every way to put the shards on ranks.
template <class Check>
void for_each_cut(const Case& model, Check check) {
  const auto comm = Communicator::world();
  const auto blocks = model.graph.block(comm);
  const auto file = model.file(comm);
  for (const auto& cuts : testing_support::all_cuts(comm)) {
    const auto sharded = testing_support::shard(comm, blocks, cuts);
    Matrix parameters(sharded.graph.owned(), model.base.columns);
    for (std::int64_t row = 0; row < parameters.rows(); ++row) {
      for (std::int64_t c = 0; c < model.base.columns; ++c) {
        parameters.row(row)[c] = static_cast<float>(model.base.at(sharded.graph.node[row].value, c));
      }
    }
    const auto degree = weighted_degrees(comm, blocks, sharded.graph);
    ExplainInput input{&sharded, parameters.view(), degree, &file};
    input.layers = model.layers;
    input.spherical = model.spherical;
    check(comm, input);
  }
}

TEST(Explanation, ContributionsAreExactAndAddUp) {
  for (const auto& model : cases()) {
    const auto normalised = model.graph.normalised();
    const auto degree = model.graph.degrees();
    const auto sums = model.sums();
    const auto scale = 1 / static_cast<double>(model.layers + 1);
    std::map<std::int64_t, UserExplanation> first;
    for_each_cut(model, [&](const Communicator& comm, const ExplainInput& input) {
      for (const std::int64_t user : {3, 7, 11, 29}) {
        const auto found = explain_user(comm, input, user);
        EXPECT_EQ(found.segment, model.segment[user]);
        EXPECT_EQ(found.runner_up, model.runner_up[user]);
        EXPECT_NEAR(found.difference, model.difference[user], 1e-12);
        EXPECT_NEAR(found.own, scale * model.product(model.base, user, user), 1e-12);
        std::map<std::int64_t, double> expected;
        for (auto entry = normalised.lower_bound({user, 0}); entry != normalised.end() && entry->first.first == user;
             ++entry) {
          const auto j = entry->first.second;
          expected[j] = scale * static_cast<double>(entry->second) * model.product(sums, j, user);
        }
        ASSERT_EQ(found.contributions.size(), expected.size());
        double sum = found.own + found.constant;
        for (std::size_t i = 0; i < found.contributions.size(); ++i) {
          const auto& contribution = found.contributions[i];
          EXPECT_NEAR(contribution.value, expected.at(contribution.node.value), 1e-12);
          EXPECT_LE(contribution.value, i > 0 ? found.contributions[i - 1].value : 1e300);
          sum += contribution.value;
        }
        EXPECT_NEAR(sum, found.difference, 1e-5);
        EXPECT_NEAR(sum + found.rounding, found.difference, 1e-14);

        // Taking away the largest, one after the other.
        double left = found.difference;
        std::int64_t steps = 0;
        while (left > 0 && static_cast<std::size_t>(steps) < found.contributions.size() &&
               found.contributions[steps].value > 0) {
          left -= found.contributions[steps++].value;
        }
        EXPECT_EQ(found.removals, left > 0 ? -1 : steps);
        // New items: all that others have, that this user has not, and that speak for the runner-up.
        std::map<std::int64_t, double> new_items;
        for (std::int64_t i = users; i < users + items; ++i) {
          if (expected.contains(i) || degree[i] == 0) continue;
          const double value = scale * model.product(sums, i, user) / std::sqrt((degree[user] + 1) * (degree[i] + 1));
          if (value < 0) new_items[i] = value;
        }
        ASSERT_EQ(found.additions.size(), new_items.size());
        left = found.difference;
        steps = 0;
        for (std::size_t i = 0; i < found.additions.size(); ++i) {
          EXPECT_NEAR(found.additions[i].value, new_items.at(found.additions[i].node.value), 1e-12);
          if (left > 0) {
            left += found.additions[i].value;
            ++steps;
          }
        }
        EXPECT_EQ(found.additions_needed, left > 0 ? -1 : steps);

        const auto [before, inserted] = first.emplace(user, found);
        if (inserted) continue;
        EXPECT_EQ(before->second.own, found.own);
        EXPECT_EQ(before->second.rounding, found.rounding);
        for (std::size_t i = 0; i < found.contributions.size(); ++i) {
          EXPECT_EQ(before->second.contributions[i].node, found.contributions[i].node);
          EXPECT_EQ(before->second.contributions[i].value, found.contributions[i].value);
        }
      }
    });
  }
}

TEST(Explanation, OfASegmentIsTheMeanOverItsUsers) {
  for (const auto& model : cases()) {
    const auto normalised = model.graph.normalised();
    const auto sums = model.sums();
    const auto scale = 1 / static_cast<double>(model.layers + 1);
    for (std::int32_t segment = 0; segment < segments; ++segment) {
      const auto size = static_cast<double>(std::ranges::count(model.segment, segment));
      std::vector<SegmentExplanation> all;
      for_each_cut(model, [&](const Communicator& comm, const ExplainInput& input) {
        if (size == 0) {
          EXPECT_THROW(explain_segment(comm, input, segment), InputError);
          return;
        }
        const auto& found = all.emplace_back(explain_segment(comm, input, segment));
        double difference = 0;
        double own = 0;
        double friends = 0;
        std::map<std::int64_t, double> of_item;
        std::map<std::int32_t, std::int64_t> others;
        for (std::int64_t u = 0; u < users; ++u) {
          if (model.segment[u] != segment) continue;
          difference += model.difference[u] / size;
          own += scale * model.product(model.base, u, u) / size;
          ++others[model.runner_up[u]];
          for (auto entry = normalised.lower_bound({u, 0}); entry != normalised.end() && entry->first.first == u;
               ++entry) {
            const auto j = entry->first.second;
            const double value = scale * static_cast<double>(entry->second) * model.product(sums, j, u) / size;
            (j < users ? friends : of_item[j]) += value;
          }
        }
        double all_items = 0;
        std::int64_t positive = 0;
        for (const auto& [item, value] : of_item) {
          all_items += value;
          positive += value > 0 ? 1 : 0;
        }
        EXPECT_NEAR(found.difference, difference, 1e-12);
        EXPECT_NEAR(found.own, own, 1e-12);
        EXPECT_NEAR(found.friends, friends, 1e-12);
        EXPECT_NEAR(found.items, all_items, 1e-12);
        EXPECT_NEAR(found.own + found.constant + found.items + found.friends, found.difference, 1e-5);
        ASSERT_EQ(std::ssize(found.top), positive);
        for (const auto& item : found.top) EXPECT_NEAR(item.value, of_item.at(item.node.value), 1e-12);
        ASSERT_EQ(found.runner_ups.size(), others.size());
        for (const auto& other : found.runner_ups) EXPECT_EQ(other.users, others.at(other.segment));
        EXPECT_EQ(all.front().own, found.own);
        EXPECT_EQ(all.front().items, found.items);
        EXPECT_EQ(all.front().difference, found.difference);
        for (std::size_t i = 0; i < found.top.size(); ++i) {
          EXPECT_EQ(all.front().top[i].node, found.top[i].node);
          EXPECT_EQ(all.front().top[i].value, found.top[i].value);
          EXPECT_EQ(all.front().top[i].users, found.top[i].users);
        }
      });
    }
  }
}

TEST(Explanation, NeedsTwoSegments) {
  const Case model(1, 10, false);
  for_each_cut(model, [&](const Communicator& comm, ExplainInput input) {
    SegmentsFile alone;
    alone.users.distribution = Distribution::even(users, comm.size());
    alone.segments.size = {users};
    input.result = &alone;
    EXPECT_THROW(explain_user(comm, input, 0), InputError);
    EXPECT_THROW(explain_segment(comm, input, 0), InputError);
  });
}

}  // namespace
}  // namespace cohort
