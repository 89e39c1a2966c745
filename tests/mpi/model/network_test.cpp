// Networks' layers against the formulas written down densely in float64, their gradients by weights and rows against
// finite differences of that, and to the bit between ways to put the shards on ranks and threads.
#include "model/network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/random.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;
using testing_support::Whole;

struct Case {
  std::string name;
  EncoderKind kind;
  std::vector<std::int64_t> hidden;
  std::int64_t columns;
  Activation activation;
  bool features;
  Corruption corruption;
  int smoothings = 0;
};

std::vector<Case> cases() {
  const Corruption none;
  const Corruption some{0.3, 0.25, 9, 4};
  return {{"gcn, wide in the middle", EncoderKind::gcn, {33}, 10, Activation::relu, false, none},
          {"gcn, three layers, corrupted", EncoderKind::gcn, {10, 20}, 17, Activation::selu, false, some},
          {"gcn of features, corrupted", EncoderKind::gcn, {12}, 7, Activation::selu, true, some, 2},
          {"gcn, one layer", EncoderKind::gcn, {}, 5, Activation::relu, true, none},
          {"sage, wide in the middle", EncoderKind::sage, {33}, 10, Activation::selu, false, some},
          {"sage of features", EncoderKind::sage, {6}, 9, Activation::relu, true, none}};
}

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  auto social = random_bipartite(30, 20, 150, 3);
  social.name = "bipartite with friends";
  for (std::int64_t user = 0; user + 5 < 30; user += 3) social.edge(user, user + 5, 2.0F);
  return {star(12), isolated(9), random_bipartite(20, 12, 60, 1), social};
}

double value_of(std::int64_t node, std::int64_t column, unsigned salt) {
  std::mt19937 random(static_cast<unsigned>(node * 1000 + column) * 7U + salt);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

Dense dense_values(std::int64_t nodes, std::int64_t columns, unsigned salt) {
  Dense result(nodes, columns);
  for (std::int64_t node = 0; node < nodes; ++node) {
    for (std::int64_t c = 0; c < columns; ++c) result.at(node, c) = value_of(node, c, salt);
  }
  return result;
}

constexpr std::int64_t feature_columns = 8;

/// Node 4 and every seventh have no features; others have those that are above 0.2.
Dense dense_features(std::int64_t nodes) {
  Dense result(nodes, feature_columns + 1);
  for (std::int64_t node = 0; node < nodes; ++node) {
    bool any = false;
    for (std::int64_t c = 0; c < feature_columns && node % 7 != 4; ++c) {
      const double value = value_of(node, c, 77);
      if (value <= 0.2) continue;
      result.at(node, c) = value;
      any = true;
    }
    if (!any) result.at(node, feature_columns) = 1;
  }
  return result;
}

struct OwnedFeatures {
  std::vector<std::int64_t> begin{0};
  std::vector<LocalRow> column;
  std::vector<float> value;

  OwnedFeatures(const ShardGraph& graph, std::int64_t nodes) {
    const auto all = dense_features(nodes);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto node = graph.node[row].value;
      for (std::int64_t c = 0; c < feature_columns; ++c) {
        if (all.at(node, c) == 0) continue;
        column.push_back(LocalRow{static_cast<std::int32_t>(c)});
        value.push_back(static_cast<float>(all.at(node, c)));
      }
      begin.push_back(std::ssize(column));
    }
  }
  InputFeatures get() const { return {{begin, column, value}, feature_columns}; }
};

Dense product(const Dense& a, const Dense& b) {
  Dense result(a.rows, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t k = 0; k < a.columns; ++k) {
      for (std::int64_t j = 0; j < b.columns; ++j) result.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return result;
}

/// The network as its header's formulas have it.
struct Reference {
  const Case& how;
  Dense adjacency;  ///< what mixes, dropped edges left out
  Dense plain;      ///< Ahat, nothing dropped
  std::vector<Dense> weights;
  std::set<std::int64_t> dropped;  ///< columns of the input

  Reference(const SmallGraph& graph, const Case& wanted, std::vector<Dense> given)
      : how(wanted), adjacency(graph.nodes, graph.nodes), plain(adjacency), weights(std::move(given)) {
    const auto& c = wanted.corruption;
    const CounterRandom edges(c.seed, Purpose::dropped_edges);
    for (const auto& [place, weight] : graph.entries) {
      const auto low = static_cast<std::uint64_t>(std::min(place.first, place.second));
      const auto high = static_cast<std::uint64_t>(std::max(place.first, place.second));
      const auto nodes = static_cast<std::uint64_t>(graph.nodes);
      const bool drop = c.edges > 0 && edges.uniform(low * nodes + high, c.number) < c.edges;
      plain.at(place.first, place.second) = static_cast<double>(weight);
      adjacency.at(place.first, place.second) = drop ? 0 : static_cast<double>(weight);
    }
    const CounterRandom columns(c.seed, Purpose::dropped_columns);
    const auto count = how.features ? feature_columns : how.columns;
    for (std::int64_t k = 0; c.columns > 0 && k < count; ++k) {
      if (columns.uniform(static_cast<std::uint64_t>(k), c.number) < c.columns) dropped.insert(k);
    }
    normalise(adjacency, how.kind == EncoderKind::sage);
    normalise(plain, false);
  }

  static void normalise(Dense& matrix, bool mean) {
    std::vector<double> degree;
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
      if (!mean) matrix.at(i, i) += 1;
      double sum = 0;
      for (std::int64_t j = 0; j < matrix.rows; ++j) sum += matrix.at(i, j);
      degree.push_back(sum);
    }
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
      for (std::int64_t j = 0; j < matrix.rows; ++j) {
        const double left = degree[i];
        const double right = mean ? left : degree[j];
        if (matrix.at(i, j) != 0) matrix.at(i, j) /= std::sqrt(left * right);
      }
    }
  }

  Dense forward(Dense in) const {
    for (std::int64_t i = 0; i < in.rows; ++i) {
      for (const auto c : dropped) in.at(i, c) = 0;
    }
    const std::size_t each = how.kind == EncoderKind::sage ? 2 : 1;
    for (std::size_t w = 0; w < weights.size(); w += each) {
      auto out = product(product(adjacency, in), weights[w]);
      if (each == 2) {
        const auto own = product(in, weights[w + 1]);
        for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] += own.values[i];
      }
      for (double& x : out.values) {
        if (w + each == weights.size()) break;
        if (how.activation == Activation::relu) {
          x = std::max(x, 0.0);
        } else {
          x = 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1));
        }
      }
      in = out;
    }
    return in;
  }

  /// The rows' directions, smoothed.
  Dense embedding(const Dense& in) const {
    auto z = forward(in);
    if (how.smoothings == 0) return z;
    for (std::int64_t i = 0; i < z.rows; ++i) {
      double square = 0;
      for (std::int64_t c = 0; c < z.columns; ++c) square += z.at(i, c) * z.at(i, c);
      for (std::int64_t c = 0; c < z.columns; ++c) z.at(i, c) /= std::sqrt(square);
    }
    for (int s = 0; s < how.smoothings; ++s) z = product(plain, z);
    return z;
  }

  /// Of a loss whose gradient by the result is `slope`.
  double loss(const Dense& in, const Dense& slope) const {
    const auto z = forward(in);
    double sum = 0;
    for (std::size_t i = 0; i < z.values.size(); ++i) sum += z.values[i] * slope.values[i];
    return sum;
  }
};

Whole whole(const Matrix& matrix) {
  Whole result{matrix.columns(), {}};
  for (std::int64_t r = 0; r < matrix.rows(); ++r) {
    result.values.insert(result.values.end(), matrix.view().at(r).begin(), matrix.view().at(r).end());
  }
  return result;
}

struct Found {
  Whole embedding;  ///< of forward() without rows
  Whole result;     ///< of forward() of all rows, corrupted
  std::vector<Whole> weights;
  std::vector<Whole> by_weight;  ///< over two views, of which the other one is not corrupted
  Whole by_base;                 ///< of the corrupted view; empty with features
  friend bool operator==(const Found&, const Found&) = default;
};

Found run(const Communicator& comm, const SmallGraph& small, const Case& how, const ShardGraph& graph, int threads,
          HaloReach reach) {
  Propagation propagation(comm, graph, how.columns, threads, reach);
  const OwnedFeatures features(graph, small.nodes);
  Network network(comm, propagation, {how.kind, how.hidden, how.activation, how.smoothings, 3},
                  how.features ? features.get() : InputFeatures{});
  auto base = propagation.matrix();
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    const auto node = graph.node[row].value;
    for (std::int64_t c = 0; c < how.columns; ++c) base.row(row)[c] = static_cast<float>(value_of(node, c, 1));
  }
  Found found;
  for (const auto& weight : network.weights()) found.weights.push_back(whole(weight.value));
  found.embedding = testing_support::gather(comm, graph, network.forward(base));
  const auto rows = propagation.all_rows();
  Matrix value(rows.size(), how.columns);
  const auto in_order = [&](auto visit) {
    std::int64_t place = 0;
    for (const auto list : {rows.interior, rows.boundary}) {
      for (const LocalRow row : list) visit(row.value, place++);
    }
  };
  Matrix owned(graph.owned(), how.columns);
  Matrix by_base(graph.owned(), how.columns);
  network.look(0, how.corruption);
  network.forward(base, rows, value.view());
  in_order(
      [&](std::int64_t row, std::int64_t place) { std::copy_n(value.row(place), value.stride(), owned.row(row)); });
  found.result = testing_support::gather(comm, graph, owned.view());
  network.look(1, {});
  network.forward(base, rows, value.view());
  const ExchangePlan nothing;
  for (const int view : {0, 1}) {
    network.turn_to(view);
    in_order([&](std::int64_t row, std::int64_t place) {
      const auto node = graph.node[row].value;
      for (std::int64_t c = 0; c < how.columns; ++c) {
        value.row(place)[c] = static_cast<float>(value_of(node, c, view == 0 ? 21 : 22));
      }
    });
    network.backward({rows, {}, &nothing, value.view()}, [&](std::span<const LocalRow> list, MatrixView gradient) {
      for (std::size_t i = 0; view == 0 && i < list.size(); ++i) {
        std::copy_n(gradient.row(static_cast<std::int64_t>(i)), gradient.stride, by_base.row(list[i].value));
      }
    });
  }
  for (const auto& gradient : network.weight_gradients()) found.by_weight.push_back(whole(gradient));
  if (!how.features) found.by_base = testing_support::gather(comm, graph, by_base.view());
  return found;
}

Dense dense(const Whole& values) {
  Dense result(std::ssize(values.values) / values.columns, values.columns);
  for (std::size_t i = 0; i < values.values.size(); ++i) result.values[i] = static_cast<double>(values.values[i]);
  return result;
}

void expect_near(const Whole& found, const Dense& expected, const std::string& what) {
  ASSERT_EQ(found.values.size(), expected.values.size()) << what;
  double largest = 0;
  for (const double value : expected.values) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found.values[i]), expected.values[i], 1e-5 * largest + 1e-7) << what << " at " << i;
  }
}

/// Finite differences of loss(x), whose entries near a kink of relu tell nothing.
template <class Loss>
void expect_gradient(const Whole& found, Dense& x, Loss loss, const std::string& what) {
  ASSERT_EQ(found.values.size(), x.values.size()) << what;
  double largest = 0;
  for (const float value : found.values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  const double scale = std::max(largest, 1e-3);  // sage takes nothing from neighbours where there are none
  const double middle = loss();
  std::size_t compared = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    constexpr double h = 1e-5;
    const double at = x.values[i];
    x.values[i] = at + h;
    const double above = loss();
    x.values[i] = at - h;
    const double below = loss();
    x.values[i] = at;
    const bool kink = std::abs((above - middle) - (middle - below)) > 1e-2 * h * scale;
    if (kink) continue;
    ++compared;
    ASSERT_NEAR(static_cast<double>(found.values[i]), (above - below) / (2 * h), 5e-5 * scale) << what << " at " << i;
  }
  EXPECT_GT(compared, x.values.size() * 9 / 10) << what;
}

TEST(Network, IsWhatItsFormulasSayAndSoAreItsGradients) {
  const auto comm = Communicator::world();
  for (const auto& how : cases()) {
    for (const auto& small : graphs()) {
      SCOPED_TRACE(how.name + ", " + small.name);
      const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
      const auto found = run(comm, small, how, sharded.graph, 1, HaloReach::machine);
      std::vector<Dense> weights;
      for (const auto& weight : found.weights) weights.push_back(dense(weight));
      auto whole_case = how;
      whole_case.corruption = {};
      Reference corrupted(small, how, weights);
      Reference plain(small, whole_case, weights);
      auto in = how.features ? dense_features(small.nodes) : dense_values(small.nodes, how.columns, 1);
      if (how.features && weights.front().rows == feature_columns)
        in = [&] {
          Dense given(small.nodes, feature_columns);
          for (std::int64_t i = 0; i < small.nodes; ++i) {
            for (std::int64_t c = 0; c < feature_columns; ++c) given.at(i, c) = in.at(i, c);
          }
          return given;
        }();
      expect_near(found.result, corrupted.forward(in), "result");
      expect_near(found.embedding, plain.embedding(in), "embedding");
      if (comm.size() > 1) continue;  // to the bit the same, as the next test says
      const auto first = dense_values(small.nodes, how.columns, 21);
      const auto second = dense_values(small.nodes, how.columns, 22);
      for (std::size_t w = 0; w < weights.size(); ++w) {
        auto x = weights[w];
        expect_gradient(
            found.by_weight[w], x,
            [&] {
              corrupted.weights[w] = plain.weights[w] = x;
              return corrupted.loss(in, first) + plain.loss(in, second);
            },
            "weight " + std::to_string(w));
        corrupted.weights[w] = plain.weights[w] = weights[w];
      }
      if (!how.features)
        expect_gradient(
            found.by_base, in, [&] { return corrupted.loss(in, first); }, "layer 0");
    }
  }
}

TEST(Network, BitsDoNotDependOnWhereShardsLie) {
  const auto comm = Communicator::world();
  const auto self = Communicator::self();
  const auto all = graphs();
  for (const auto& how : cases()) {
    for (const auto& small : {all[1], all[3]}) {
      SCOPED_TRACE(how.name + ", " + small.name);
      const auto alone = testing_support::shard(self, small.block(self), testing_support::on_last_rank(self));
      const auto expected = run(self, small, how, alone.graph, 1, HaloReach::machine);
      for (const auto& cuts : testing_support::all_cuts(comm)) {
        const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
        EXPECT_EQ(run(comm, small, how, sharded.graph, 1, HaloReach::machine), expected);
      }
      const auto even = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
      EXPECT_EQ(run(comm, small, how, even.graph, 2, HaloReach::nobody), expected);
    }
  }
}

}  // namespace
}  // namespace cohort
