// Contributions of neighbours to where a network puts a user, against the network written down densely in float64 and
// run on the graph without the edge. To the bit between ways to put the shards on ranks.
#include "explain/network_explanation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "explain/network_segment_explanation.hpp"
#include "support/dense_network.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;

constexpr std::int64_t columns = 6;
constexpr std::int32_t segments = 4;

struct Case {
  testing_support::NetworkForm form;
  bool spherical;
};

std::vector<Case> cases() {
  return {
      {{EncoderKind::gcn, {9}, 0}, false}, {{EncoderKind::gcn, {5, 8}, 2}, true}, {{EncoderKind::sage, {7}, 1}, false}};
}

Dense embedding(const SmallGraph& graph, const Case& how, const std::vector<Dense>& weights) {
  Dense rows(graph.nodes, columns);
  for (std::int64_t i = 0; i < graph.nodes; ++i) {
    for (std::int64_t c = 0; c < columns; ++c) rows.at(i, c) = testing_support::drawn_value(i, c, 1);
  }
  return testing_support::dense_network(how.form, testing_support::edges_of(graph), rows, weights);
}

double centroid(std::int64_t s, std::int64_t c) {
  return static_cast<double>(static_cast<float>(0.2 * testing_support::drawn_value(s, c, 2)));
}

double distance(const Dense& rows, std::int64_t user, std::int32_t s, bool spherical) {
  double sum = 0;
  double square = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    const double off = rows.at(user, c) - centroid(s, c);
    sum += spherical ? rows.at(user, c) * centroid(s, c) : off * off;
    square += rows.at(user, c) * rows.at(user, c);
  }
  return spherical ? 1 - (square > 0 ? sum / std::sqrt(square) : 0) : sum;
}

std::vector<std::int32_t> order(const Dense& rows, std::int64_t user, bool spherical) {
  std::vector<std::pair<double, std::int32_t>> found;
  for (std::int32_t s = 0; s < segments; ++s) found.emplace_back(distance(rows, user, s, spherical), s);
  std::ranges::sort(found);
  std::vector<std::int32_t> result;
  for (const auto& each : found) result.push_back(each.second);
  return result;
}

SmallGraph without(SmallGraph graph, std::int64_t user, std::int64_t other) {
  graph.entries.erase({user, other});
  graph.entries.erase({other, user});
  return graph;
}

// A town with friends; a user with more neighbours than are recomputed; the last user has none.
SmallGraph town() {
  auto graph = testing_support::random_bipartite(30, 80, 220, 3);
  for (std::int64_t user = 1; user + 5 < 29; user += 3) graph.edge(user, user + 5, 2.0F);
  for (std::int64_t item = 30; item < 100; ++item) graph.edge(0, item, 1.0F + static_cast<float>(item % 3));
  std::erase_if(graph.entries, [](const auto& entry) { return entry.first.first == 29 || entry.first.second == 29; });
  return graph;
}

// With every user in the segment whose centroid is nearest.
SegmentsFile file_of(const Communicator& comm, const Dense& whole, bool spherical) {
  SegmentsFile file;
  file.users.distribution = Distribution::even(30, comm.size());
  for (auto user = file.users.distribution.begin(comm.rank()); user < file.users.distribution.end(comm.rank());
       ++user) {
    file.segments.segment.push_back(order(whole, user, spherical).front());
  }
  file.segments.centroid = Matrix(segments, columns);
  for (std::int64_t s = 0; s < segments; ++s) {
    for (std::int64_t c = 0; c < columns; ++c) file.segments.centroid.row(s)[c] = static_cast<float>(centroid(s, c));
  }
  file.segments.size.assign(segments, 0);
  return file;
}

TEST(NetworkExplanation, IsAWholePassOverTheGraphWithoutTheEdge) {
  const auto comm = Communicator::world();
  const auto graph = town();
  for (const auto& how : cases()) {
    std::map<std::int64_t, NetworkExplanation> first;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      testing_support::NetworkOnShards model(comm, graph, how.form, columns, cuts);
      const auto weights = model.weights();
      const auto whole = embedding(graph, how, weights);
      const auto file = file_of(comm, whole, how.spherical);
      for (const std::int64_t user : {0, 6, 29}) {
        const auto found =
            explain_by_network(comm, {&model.sharded, &model.network, &model.base, &file, how.spherical}, user);
        const auto [before, inserted] = first.emplace(user, found);
        if (!inserted) {
          EXPECT_EQ(before->second.difference, found.difference);
          EXPECT_EQ(before->second.alone, found.alone);
          ASSERT_EQ(before->second.contributions.size(), found.contributions.size());
          for (std::size_t i = 0; i < found.contributions.size(); ++i) {
            EXPECT_EQ(before->second.contributions[i].node, found.contributions[i].node);
            EXPECT_EQ(before->second.contributions[i].value, found.contributions[i].value);
          }
          continue;
        }
        const auto nearest = order(whole, user, how.spherical);
        EXPECT_EQ(found.segment, nearest[0]);
        EXPECT_EQ(found.runner_up, nearest[1]);
        const auto difference = [&](const Dense& rows) {
          return distance(rows, user, nearest[1], how.spherical) - distance(rows, user, nearest[0], how.spherical);
        };
        EXPECT_NEAR(found.difference, difference(whole), 1e-5);
        std::vector<std::int64_t> others;
        auto alone = graph;
        for (const auto& [place, weight] : graph.entries) {
          if (place.first != user) continue;
          others.push_back(place.second);
          alone = without(alone, user, place.second);
        }
        EXPECT_EQ(found.neighbours, std::ssize(others));
        EXPECT_EQ(std::ssize(found.contributions), std::min(explained_neighbours, std::ssize(others)));
        EXPECT_NEAR(found.alone, difference(embedding(alone, how, weights)), 1e-5);
        double largest = 0;
        for (const auto& each : found.contributions) {
          const auto rows = embedding(without(graph, user, each.node.value), how, weights);
          EXPECT_NEAR(each.value, difference(whole) - difference(rows), 1e-5) << each.node.value;
          EXPECT_EQ(each.segment, order(rows, user, how.spherical).front());
          largest = std::max(largest, std::fabs(each.value));
        }
        EXPECT_TRUE(others.empty() || largest > 1e-3);  // far above what is compared to
        // What is left out is mixed with less than all that are not.
        const auto strength = [&](std::int64_t other) {
          return static_cast<double>(graph.normalised().at({user, other}));
        };
        double weakest = 1e300;
        for (const auto& each : found.contributions) {
          weakest = std::min(weakest, strength(each.node.value));
          std::erase(others, each.node.value);
        }
        for (const auto other : others) EXPECT_LE(strength(other), weakest + 1e-6);
      }
    }
  }
}

TEST(NetworkSegmentExplanation, IsAWholePassWithoutTheNodesEdgesToTheSegment) {
  const auto comm = Communicator::world();
  const auto graph = town();
  for (const auto& how : cases()) {
    NetworkSegmentExplanation before;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      testing_support::NetworkOnShards model(comm, graph, how.form, columns, cuts);
      const auto weights = model.weights();
      const auto whole = embedding(graph, how, weights);
      const auto file = file_of(comm, whole, how.spherical);
      const auto segment = order(whole, 0, how.spherical).front();
      const auto found = explain_segment_by_network(
          comm, {&model.sharded, &model.network, &model.base, &file, how.spherical}, segment);
      if (before.users > 0) {
        EXPECT_EQ(before.difference, found.difference);
        ASSERT_EQ(before.contributions.size(), found.contributions.size());
        for (std::size_t i = 0; i < found.contributions.size(); ++i) {
          EXPECT_EQ(before.contributions[i].node, found.contributions[i].node);
          EXPECT_EQ(before.contributions[i].value, found.contributions[i].value);
        }
        continue;
      }
      before = found;
      std::vector<std::int64_t> members;
      std::map<std::int32_t, std::int64_t> next;
      for (std::int64_t user = 0; user < 30; ++user) {
        if (order(whole, user, how.spherical).front() != segment) continue;
        members.push_back(user);
        ++next[order(whole, user, how.spherical)[1]];
      }
      ASSERT_LT(members.size(), 30U);
      EXPECT_EQ(found.users, std::ssize(members));
      ASSERT_EQ(found.runner_ups.size(), next.size());
      for (const auto& each : found.runner_ups) EXPECT_EQ(each.users, next[each.segment]);
      const auto mean = [&](const Dense& rows) {
        double sum = 0;
        for (const auto user : members) {
          const auto other = order(whole, user, how.spherical)[1];
          sum += distance(rows, user, other, how.spherical) - distance(rows, user, segment, how.spherical);
        }
        return sum / static_cast<double>(members.size());
      };
      EXPECT_NEAR(found.difference, mean(whole), 1e-5);
      std::map<std::int64_t, double> mixed;
      std::map<std::int64_t, std::int64_t> joined;
      for (const auto& [place, weight] : graph.normalised()) {
        if (!std::ranges::binary_search(members, place.first)) continue;
        mixed[place.second] += static_cast<double>(weight);
        ++joined[place.second];
      }
      EXPECT_EQ(found.neighbours, std::ssize(mixed));
      ASSERT_EQ(std::ssize(found.contributions), std::min<std::int64_t>(listed_items, std::ssize(mixed)));
      double weakest = 1e300;
      double largest = 0;
      for (const auto& each : found.contributions) {
        const auto node = each.node.value;
        auto left = graph;
        for (const auto user : members) left = without(left, user, node);
        const auto rows = embedding(left, how, weights);
        EXPECT_NEAR(each.value, mean(whole) - mean(rows), 1e-5) << node;
        EXPECT_EQ(each.users, joined[node]);
        const auto elsewhere = std::ranges::count_if(
            members, [&](std::int64_t user) { return order(rows, user, how.spherical).front() != segment; });
        EXPECT_EQ(each.leaving, elsewhere);
        weakest = std::min(weakest, mixed[node]);
        largest = std::max(largest, std::fabs(each.value));
        mixed.erase(node);
      }
      EXPECT_GT(largest, 1e-4);  // far above what is compared to
      for (const auto& [node, strength] : mixed) EXPECT_LE(strength, weakest + 1e-6) << node;
    }
  }
}

}  // namespace
}  // namespace cohort
