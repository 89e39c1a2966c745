// Nodes that the graph does not have, with features of their own and friends beside items, against the dense network on
// a matrix with rows that take from the graph and give nothing. Features are scaled here by the book.
#include <gtest/gtest.h>

#include <cmath>

#include "model/node_features.hpp"
#include "support/dense_network.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::NetworkForm;
using testing_support::Whole;

constexpr std::int64_t users = 30;
constexpr std::int64_t items = 20;
constexpr std::int64_t newcomers = 6;
constexpr std::int64_t wide = 5;    // columns of the first file, standardised; every fourth user lacks it
constexpr std::int64_t narrow = 4;  // of the second, whose rows sum to 1; all users have it
// Then one for users without the first, one for items.
constexpr std::int64_t all_columns = wide + narrow + 2;
constexpr std::int64_t embedding_columns = 6;

double number_of(std::int64_t person, std::int64_t column) {
  return testing_support::drawn_value(person, column, 9) + (column == 2 ? 3.0 : 0.0);
}
double share_of(std::int64_t person, std::int64_t column) {
  return std::fabs(testing_support::drawn_value(person, column, 8)) + 0.1;
}
// Newcomer n is person users + n: 0 has both files, 1 the first alone, 2 the second alone, 3 none, 4 both and no edges,
// 5 nothing at all.
bool has_first(std::int64_t person) {
  return person < users ? person % 4 != 1 : person == users || person == users + 1 || person == users + 4;
}
bool has_second(std::int64_t person) {
  return person < users || person == users || person == users + 2 || person == users + 4;
}

FeatureTable table_of(std::int64_t first, std::int64_t last, bool of_first) {
  FeatureTable table;
  table.columns = of_first ? wide : narrow;
  table.dense = true;
  for (auto person = first; person < last; ++person) {
    for (std::int64_t c = 0; (of_first ? has_first(person) : has_second(person)) && c < table.columns; ++c) {
      table.rows.other.push_back(c);
      table.rows.weight.push_back(static_cast<float>(of_first ? number_of(person, c) : share_of(person, c)));
    }
    table.rows.row_begin.push_back(table.rows.size());
  }
  return table;
}

// What the network reads of everybody, newcomers last, but for what these take from their like.
Dense input_of_all() {
  Dense rows(users + items + newcomers, all_columns);
  const auto row_of = [](std::int64_t person) { return person < users ? person : person + items; };
  for (std::int64_t c = 0; c < wide; ++c) {
    double mean = 0;
    double square = 0;
    double count = 0;
    for (std::int64_t person = 0; person < users; ++person) {
      if (!has_first(person)) continue;
      const auto value = static_cast<double>(static_cast<float>(number_of(person, c)));
      count += 1;
      mean += value;
      square += value * value;
    }
    mean /= count;
    const double deviation = std::sqrt(square / count - mean * mean);
    for (std::int64_t person = 0; person < users + newcomers; ++person) {
      if (has_first(person)) rows.at(row_of(person), c) = (number_of(person, c) - mean) / deviation;
    }
  }
  for (std::int64_t person = 0; person < users + newcomers; ++person) {
    double sum = 0;
    for (std::int64_t c = 0; c < narrow; ++c) sum += share_of(person, c);
    for (std::int64_t c = 0; has_second(person) && c < narrow; ++c) {
      rows.at(row_of(person), wide + c) = share_of(person, c) / sum;
    }
    if (!has_first(person)) rows.at(row_of(person), wide + narrow) = 1;
  }
  for (std::int64_t item = 0; item < items; ++item) rows.at(users + item, wide + narrow + 1) = 1;
  return rows;
}

// Friends and items, weights by both; the last two know nobody.
std::map<std::int64_t, float> edges_of(std::int64_t n) {
  std::map<std::int64_t, float> edges;
  for (std::int64_t k = 0; n < 4 && k < 4 + n; ++k) {
    edges[(11 * n + 7 * k + 3) % (users + items)] = 0.5F + static_cast<float>((n + k) % 4);
  }
  return edges;
}

TEST(NetworkOutside, ReadsFeaturesOfItsOwnOrWhatStandsForThem) {
  const auto comm = Communicator::world();
  const auto graph = testing_support::random_bipartite(users, items, 150, 3);
  const auto blocks = Distribution::even(users, comm.size());
  const auto begin = blocks.begin(comm.rank());
  const auto first = table_of(begin, begin + blocks.count(comm.rank()), true);
  const auto second = table_of(begin, begin + blocks.count(comm.rank()), false);
  const std::vector<FeatureTable> own{table_of(users, users + newcomers, true),
                                      table_of(users, users + newcomers, false)};
  std::vector<double> degree(newcomers, 0.0);
  for (std::int64_t n = 0; n < newcomers; ++n) {
    for (const auto& [node, weight] : edges_of(n)) degree[n] += static_cast<double>(weight);
  }
  for (const auto& form : {NetworkForm{EncoderKind::gcn, {9}, 2}, NetworkForm{EncoderKind::sage, {7}, 1}}) {
    Whole before;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      const auto sharded = testing_support::shard(comm, graph.block(comm), cuts);
      const auto features =
          node_features(comm, sharded, blocks, {{&first, FeatureScaling::columns}, {&second, FeatureScaling::sum}},
                        Distribution::even(items, comm.size()), {}, 1);
      ASSERT_EQ(features.columns, all_columns);
      Propagation propagation(comm, sharded.graph, embedding_columns, 1);
      Network network(comm, propagation, {form.kind, form.hidden, Activation::relu, form.smoothings, 5},
                      features.input());
      auto base = propagation.matrix();
      const auto outside = outside_features(features, own, newcomers);
      EXPECT_EQ(outside.any, (std::vector<char>{1, 1, 1, 0, 1, 0}));
      OutsideNodes nodes;
      nodes.degree = degree;
      nodes.features = &outside;
      nodes.gather = [&](ConstMatrixView rows) {
        const auto all = testing_support::gather(comm, sharded.graph, rows);
        Matrix sums(newcomers, rows.columns);
        for (std::int64_t n = 0; n < newcomers; ++n) {
          for (std::int64_t c = 0; c < rows.columns; ++c) {
            double sum = 0;
            for (const auto& [node, weight] : edges_of(n)) {
              sum += static_cast<double>(weight) * static_cast<double>(all.at(node, c));
            }
            sums.row(n)[c] = static_cast<float>(sum);
          }
        }
        return sums;
      };
      const auto found = network.outside(network.rows_for_outside(base, true, features.user_files), nodes);
      Whole whole{embedding_columns, {}};
      for (std::int64_t n = 0; n < newcomers; ++n) {
        for (std::int64_t c = 0; c < embedding_columns; ++c) whole.values.push_back(found.row(n)[c]);
      }
      if (before.values.empty()) before = whole;
      EXPECT_EQ(before, whole);

      const auto plain = testing_support::edges_of(graph);
      const auto mean = testing_support::normalised_edges(plain, true);
      Dense edges(graph.nodes + newcomers, graph.nodes + newcomers);
      for (std::int64_t i = 0; i < graph.nodes; ++i) {
        for (std::int64_t j = 0; j < graph.nodes; ++j) edges.at(i, j) = plain.at(i, j);
      }
      auto rows = input_of_all();
      for (std::int64_t n = 0; n < newcomers; ++n) {
        const auto row = graph.nodes + n;
        for (const auto& [node, weight] : edges_of(n)) {
          edges.at(row, node) = static_cast<double>(weight);
          const double share = static_cast<double>(weight) / degree[n];
          for (std::int64_t c = wide; !has_second(users + n) && c < wide + narrow; ++c) {
            if (node < users) rows.at(row, c) += share * rows.at(node, c);
            for (std::int64_t user = 0; node >= users && user < users; ++user) {
              rows.at(row, c) += share * mean.at(node, user) * rows.at(user, c);
            }
          }
        }
      }
      std::vector<Dense> weights;
      for (const auto& weight : network.weights()) {
        auto& matrix = weights.emplace_back(weight.value.rows(), weight.value.columns());
        for (std::int64_t r = 0; r < matrix.rows; ++r) {
          for (std::int64_t c = 0; c < matrix.columns; ++c) {
            matrix.at(r, c) = static_cast<double>(weight.value.row(r)[c]);
          }
        }
      }
      const auto expected = testing_support::dense_network(form, edges, rows, weights);
      for (std::int64_t n = 0; n < newcomers; ++n) {
        for (std::int64_t c = 0; c < embedding_columns; ++c) {
          EXPECT_NEAR(static_cast<double>(found.row(n)[c]), expected.at(graph.nodes + n, c), 1e-5) << n << " " << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace cohort
