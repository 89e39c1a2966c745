// The modularity of soft segments and what DMoN and the joint phase make of it, against the formula in float64 by
// finite differences, and to the bit between ways to put the shards on ranks and threads.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "comm/shard_sum.hpp"
#include "support/train_support.hpp"
#include "train/dmon.hpp"
#include "train/initial_state.hpp"
#include "train/joint.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;
using testing_support::Whole;

constexpr std::int64_t columns = 10;
constexpr std::int64_t segments = 3;

double number_of(std::int64_t row, std::int64_t column, unsigned what) {
  std::mt19937 random(static_cast<unsigned>(row * 1000 + column) * 7U + what);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

/// One node's row is zero.
double value_of(std::int64_t node, std::int64_t column) {
  return node == 3 ? 0 : number_of(node, column, 11);
}

/// What the loss is of; cosines: scores are cosines over a temperature, else products and a bias.
struct Problem {
  Dense rows;
  Dense head{segments, columns};
  Dense bias{1, segments};
  bool cosines = false;
  double temperature = 1;
};

/// The formula of train/soft_modularity.hpp, with B in full.
double loss_of(const SmallGraph& graph, const Problem& problem) {
  const auto dot = [](const Dense& a, std::int64_t i, const Dense& b, std::int64_t j) {
    double sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += a.at(i, c) * b.at(j, c);
    return sum;
  };
  Dense share(graph.nodes, segments);
  for (std::int64_t i = 0; i < graph.nodes; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < segments; ++j) {
      double score = dot(problem.rows, i, problem.head, j) + problem.bias.at(0, j);
      if (problem.cosines) {
        const double length = std::sqrt(dot(problem.rows, i, problem.rows, i) * dot(problem.head, j, problem.head, j));
        score = length > 0 ? dot(problem.rows, i, problem.head, j) / length : 0;
      }
      share.at(i, j) = std::exp(score / problem.temperature);
      sum += share.at(i, j);
    }
    for (std::int64_t j = 0; j < segments; ++j) share.at(i, j) /= sum;
  }
  std::vector<double> degree(graph.nodes, 0.0);
  double total = 0;
  for (const auto& [place, weight] : graph.entries) {
    degree[place.first] += weight;
    total += weight;
  }
  double loss = 0;
  for (std::int64_t i = 0; i < graph.nodes; ++i) {
    for (std::int64_t j = 0; j < graph.nodes; ++j) {
      const auto edge = graph.entries.find({i, j});
      const double b = (edge == graph.entries.end() ? 0 : edge->second) - degree[i] * degree[j] / total;
      for (std::int64_t k = 0; k < segments; ++k) loss -= share.at(i, k) * b * share.at(j, k) / total;
    }
  }
  double squares = 0;
  for (std::int64_t k = 0; k < segments; ++k) {
    double size = 0;
    for (std::int64_t i = 0; i < graph.nodes; ++i) size += share.at(i, k);
    squares += size * size;
  }
  return loss + std::sqrt(static_cast<double>(segments) * squares) / static_cast<double>(graph.nodes) - 1;
}

Problem problem_of(const SmallGraph& graph, bool cosines) {
  Problem problem{Dense(graph.nodes, columns)};
  for (std::int64_t i = 0; i < graph.nodes; ++i) {
    for (std::int64_t c = 0; c < columns; ++c) problem.rows.at(i, c) = value_of(i, c);
  }
  for (std::int64_t j = 0; j < segments; ++j) {
    for (std::int64_t c = 0; c < columns; ++c) problem.head.at(j, c) = number_of(j, c, 5);
    if (!cosines) problem.bias.at(0, j) = number_of(j, 0, 3);
  }
  problem.cosines = cosines;
  if (cosines) problem.temperature = JointOptions().temperature;
  return problem;
}

struct Found {
  double loss = 0;
  Whole by_rows;
  std::vector<float> by_weights;
  friend bool operator==(const Found& a, const Found& b) {
    return a.loss == b.loss && a.by_rows == b.by_rows && a.by_weights == b.by_weights;
  }
};

/// Nothing but a view of its own, so that the joint phase stands alone.
class Nothing final : public Objective {
 public:
  explicit Nothing(const ShardGraph& graph) : none_(graph.owned(), 0.0F), begin_(graph.interior_begin.size(), 0) {}
  TrainingState state() override { return {}; }
  std::int64_t steps() const override { return 1; }
  std::int64_t samples() const override { return 0; }
  void begin_epoch(std::int64_t /*epoch*/) override {}
  std::int64_t plan(std::int64_t /*first*/) override { return 1; }
  RowSelection rows(std::int64_t /*step*/, int /*view*/) const override { return {{}, begin_, {}, begin_}; }
  MatrixView outputs(std::int64_t /*step*/, int /*view*/) override { return {}; }
  SparseGradient gradient(std::int64_t /*step*/, int /*view*/, ConstMatrixView /*layer_zero*/,
                          std::span<double> loss_by_shard) override {
    std::ranges::fill(loss_by_shard, 0.0);
    return {rows(0, 0), {}, &halo_, {}};
  }
  std::span<const float> decay() const override { return none_; }
  double rate_factor(std::int64_t /*step*/, std::int64_t /*total*/) const override { return 1; }
  ObjectiveTraffic traffic() const override { return {}; }

 private:
  std::vector<float> none_;
  std::vector<std::int64_t> begin_;
  ExchangePlan halo_;
};

Found run(const Communicator& comm, const ShardGraph& graph, const Problem& problem, int threads) {
  std::unique_ptr<Objective> objective;
  if (problem.cosines) {
    objective = std::make_unique<Joint>(comm, graph, std::make_unique<Nothing>(graph), columns, segments,
                                        JointOptions(), threads);
  } else {
    objective = std::make_unique<Dmon>(comm, graph, columns, segments, 5, threads);
  }
  const auto copy = [](const Dense& from, Matrix& to) {
    for (std::int64_t r = 0; r < to.rows(); ++r) {
      for (std::int64_t c = 0; c < to.columns(); ++c) to.row(r)[c] = static_cast<float>(from.at(r, c));
    }
  };
  copy(problem.head, objective->weights()[0].value);
  if (!problem.cosines) copy(problem.bias, objective->weights()[1].value);
  std::vector<double> partial(graph.layout.shards_of_rank.count(comm.rank()));
  const int view = problem.cosines ? 1 : 0;
  EXPECT_EQ(objective->views(), view + 1);
  Found found;
  for (int time = 0; time < 2; ++time) {  // the first must leave nothing behind
    objective->begin_epoch(time + 1);
    EXPECT_EQ(objective->plan(0), 1);
    const auto rows = objective->rows(0, view);
    const auto out = objective->outputs(0, view);
    std::int64_t place = 0;
    for (const auto list : {rows.interior, rows.boundary}) {
      for (const LocalRow row : list) {
        for (std::int64_t c = 0; c < columns; ++c) {
          out.row(place)[c] = static_cast<float>(problem.rows.at(graph.node[row.value].value, c));
        }
        ++place;
      }
    }
    for (int v = 0; v < view; ++v) objective->gradient(0, v, {}, partial);
    const auto gradient = objective->gradient(0, view, {}, partial);
    Matrix owned(graph.owned(), columns);
    place = 0;
    for (const auto list : {gradient.rows.interior, gradient.rows.boundary}) {
      for (const LocalRow row : list) std::copy_n(gradient.value.row(place++), owned.stride(), owned.row(row.value));
    }
    found.by_rows = testing_support::gather(comm, graph, owned.view());
  }
  for (const auto& matrix : objective->weight_gradients()) {
    for (std::int64_t r = 0; r < matrix.rows(); ++r) {
      found.by_weights.insert(found.by_weights.end(), matrix.row(r), matrix.row(r) + matrix.columns());
    }
  }
  found.loss = shard_sum(comm, graph.layout, partial);
  return found;
}

void check(const SmallGraph& small, bool cosines) {
  const auto comm = Communicator::world();
  SCOPED_TRACE(small.name);
  auto problem = problem_of(small, cosines);
  const auto cuts = testing_support::all_cuts(comm);
  const auto found = run(comm, testing_support::shard(comm, small.block(comm), cuts.front()).graph, problem, 1);
  for (const auto& other : cuts) {
    EXPECT_EQ(run(comm, testing_support::shard(comm, small.block(comm), other).graph, problem, 2), found);
  }
  EXPECT_NEAR(found.loss, loss_of(small, problem), 1e-6);
  if (comm.size() > 1) return;
  double largest = 0;
  const auto expect_slope = [&](double& x, double here) {
    constexpr double h = 1e-5;
    const double at = x;
    x = at + h;
    const double above = loss_of(small, problem);
    x = at - h;
    const double below = loss_of(small, problem);
    x = at;
    ASSERT_NEAR(here, (above - below) / (2 * h), 1e-4 * largest);
  };
  for (const float x : found.by_rows.values) largest = std::max(largest, std::abs(static_cast<double>(x)));
  EXPECT_GT(largest, 0);
  for (std::int64_t node = 0; node < small.nodes; ++node) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto here = static_cast<double>(found.by_rows.at(node, c));
      if (cosines && node == 3) {  // a row of zeros has no direction
        EXPECT_EQ(here, 0);
        continue;
      }
      expect_slope(problem.rows.at(node, c), here);
    }
  }
  largest = 0;
  for (const float x : found.by_weights) largest = std::max(largest, std::abs(static_cast<double>(x)));
  EXPECT_GT(largest, 0);
  std::size_t place = 0;
  for (std::int64_t j = 0; j < segments; ++j) {
    for (std::int64_t c = 0; c < columns; ++c) {
      expect_slope(problem.head.at(j, c), static_cast<double>(found.by_weights[place++]));
    }
  }
  for (std::int64_t j = 0; j < segments && !cosines; ++j) {
    expect_slope(problem.bias.at(0, j), static_cast<double>(found.by_weights[place++]));
  }
  EXPECT_EQ(place, found.by_weights.size());
}

TEST(Dmon, LossAndGradientsAreThoseOfTheFormulaWhereverShardsLie) {
  check(testing_support::star(25), false);
  check(testing_support::random_bipartite(20, 15, 80, 1), false);
}

TEST(Joint, LossAndGradientsThroughTheAssignmentAreThoseOfTheFormula) {
  check(testing_support::star(25), true);
  check(testing_support::random_bipartite(20, 15, 80, 1), true);
}

// A new node's row is the mean of what is known around it.
TEST(InitialState, NewNodesGetTheMeanOfTheirKnownNeighbours) {
  const auto comm = Communicator::world();
  const auto small = testing_support::random_bipartite(20, 15, 80, 1);
  const auto is_known = [](std::int64_t node) { return node % 3 != 0; };
  for (const auto& cuts : testing_support::all_cuts(comm)) {
    const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
    const auto& graph = sharded.graph;
    Matrix rows(graph.owned(), columns);
    std::vector<char> known;
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto node = graph.node[row].value;
      known.push_back(is_known(node) ? 1 : 0);
      for (std::int64_t c = 0; is_known(node) && c < columns; ++c) {
        rows.row(row)[c] = static_cast<float>(number_of(node, c, 2));
      }
    }
    const auto filled = fill_from_neighbours(comm, graph, rows.view(), known, 2);
    std::int64_t expected_filled = 0;
    const auto whole = testing_support::gather(comm, graph, rows.view());
    for (std::int64_t node = 0; node < small.nodes; ++node) {
      std::vector<std::int64_t> around;
      for (const auto& [place, weight] : small.entries) {
        if (place.first == node && is_known(place.second)) around.push_back(place.second);
      }
      if (!is_known(node) && !around.empty()) ++expected_filled;
      for (std::int64_t c = 0; c < columns; ++c) {
        double expected = is_known(node) ? number_of(node, c, 2) : 0;
        for (const auto other : around) {
          if (!is_known(node)) expected += number_of(other, c, 2) / static_cast<double>(around.size());
        }
        ASSERT_NEAR(static_cast<double>(whole.at(node, c)), expected, 1e-6) << node;
      }
    }
    EXPECT_EQ(filled, expected_filled);
    EXPECT_GT(filled, 0);
  }
}

}  // namespace
}  // namespace cohort
