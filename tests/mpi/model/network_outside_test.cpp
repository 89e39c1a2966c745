// Nodes that the graph does not have, against the dense network on a matrix with rows that take from the graph and give
// nothing. To the bit between ways to put the shards on ranks, and ways to put the nodes.
#include <gtest/gtest.h>

#include <cmath>

#include "support/dense_network.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::NetworkForm;
using testing_support::Whole;

constexpr std::int64_t columns = 6;
constexpr std::int64_t newcomers = 5;

std::vector<NetworkForm> forms() {
  return {{EncoderKind::gcn, {9}, 0},
          {EncoderKind::gcn, {5, 8}, 2},
          {EncoderKind::gcn, {}, 1},
          {EncoderKind::sage, {7}, 1},
          {EncoderKind::sage, {4}, 0}};
}

// Newcomer n's edges: the last one has none.
std::map<std::int64_t, float> edges_of(std::int64_t n, std::int64_t first, std::int64_t last) {
  std::map<std::int64_t, float> edges;
  for (std::int64_t k = 0; n + 1 < newcomers && k < 3 + n; ++k) {
    edges[first + (7 * n + 5 * k) % (last - first)] = 0.5F + static_cast<float>((n + k) % 4);
  }
  return edges;
}

TEST(NetworkOutside, IsTheNetworkOnRowsThatOnlyTake) {
  const auto comm = Communicator::world();
  for (const bool by_items : {false, true}) {
    const auto graph = testing_support::random_bipartite(30, 20, 150, 3);
    const std::int64_t first = by_items ? 30 : 0;
    const std::int64_t last = by_items ? 50 : 30;
    for (const auto& form : forms()) {
      Whole before;
      for (const auto& cuts : testing_support::all_cuts(comm)) {
        testing_support::NetworkOnShards model(comm, graph, form, columns, cuts);
        // All newcomers on every rank: none of them depends on who else holds it.
        std::vector<double> degree(newcomers, 0.0);
        for (std::int64_t n = 0; n < newcomers; ++n) {
          for (const auto& [node, weight] : edges_of(n, first, last)) degree[n] += static_cast<double>(weight);
        }
        OutsideNodes nodes;
        nodes.degree = degree;
        nodes.gather = [&](ConstMatrixView rows) {
          const auto all = testing_support::gather(comm, model.sharded.graph, rows);
          Matrix sums(newcomers, rows.columns);
          for (std::int64_t n = 0; n < newcomers; ++n) {
            for (std::int64_t c = 0; c < rows.columns; ++c) {
              double sum = 0;
              for (const auto& [node, weight] : edges_of(n, first, last)) {
                sum += static_cast<double>(weight) * static_cast<double>(all.at(node, c));
              }
              sums.row(n)[c] = static_cast<float>(sum);
            }
          }
          return sums;
        };
        const auto found = model.network.outside(model.network.rows_for_outside(model.base, by_items, {}), nodes);
        ASSERT_EQ(found.rows(), newcomers);
        Whole whole{columns, {}};
        for (std::int64_t n = 0; n < newcomers; ++n) {
          for (std::int64_t c = 0; c < columns; ++c) whole.values.push_back(found.row(n)[c]);
        }
        if (before.values.empty()) before = whole;
        EXPECT_EQ(before, whole);

        const auto plain = testing_support::edges_of(graph);
        const auto mean = testing_support::normalised_edges(plain, true);
        Dense edges(graph.nodes + newcomers, graph.nodes + newcomers);
        Dense rows(graph.nodes + newcomers, columns);
        for (std::int64_t i = 0; i < graph.nodes; ++i) {
          for (std::int64_t j = 0; j < graph.nodes; ++j) edges.at(i, j) = plain.at(i, j);
          for (std::int64_t c = 0; c < columns; ++c) rows.at(i, c) = testing_support::drawn_value(i, c, 1);
        }
        for (std::int64_t n = 0; n < newcomers; ++n) {
          const auto row = graph.nodes + n;
          for (const auto& [node, weight] : edges_of(n, first, last)) {
            const double share = static_cast<double>(weight) / degree[n];
            edges.at(row, node) = static_cast<double>(weight);
            for (std::int64_t c = 0; c < columns; ++c) {
              if (!by_items) rows.at(row, c) += share * rows.at(node, c);
              for (std::int64_t user = 0; by_items && user < graph.nodes; ++user) {
                rows.at(row, c) += share * mean.at(node, user) * rows.at(user, c);
              }
            }
          }
        }
        const auto expected = testing_support::dense_network(form, edges, rows, model.weights());
        for (std::int64_t n = 0; n < newcomers; ++n) {
          for (std::int64_t c = 0; c < columns; ++c) {
            EXPECT_NEAR(static_cast<double>(found.row(n)[c]), expected.at(graph.nodes + n, c), 1e-5) << n << " " << c;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cohort
