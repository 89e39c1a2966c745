// The sampled softmax loss and its gradient against the formula in float64, the formula's gradient against finite
// differences, and to the bit between ways to put the shards on ranks and threads.
#include "train/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "comm/shard_sum.hpp"
#include "core/random.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;
using testing_support::Whole;

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  auto social = random_bipartite(30, 20, 150, 3);
  social.name = "bipartite with friends";
  for (std::int64_t user = 0; user + 5 < 30; user += 3) social.edge(user, user + 5, 2.0F);
  return {star(25), random_bipartite(40, 25, 160, 1), social, planted(40, 4, 200, 0.1, 5)};
}

SoftmaxOptions options_of(double power) {
  SoftmaxOptions options;
  options.temperature = 0.3;
  options.batch = 17;
  options.pool = 37;
  options.degree_power = power;
  options.seed = 5;
  return options;
}

/// z of a node, given; one node's row is zero.
double value_of(std::int64_t node, std::int64_t column) {
  if (node == 3) return 0;
  std::mt19937 random(static_cast<unsigned>(node * 1000 + column) * 7U + 11U);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

/// The loss of one step as the header's formula has it, in float64.
class Reference {
 public:
  Reference(const SmallGraph& graph, const SoftmaxOptions& options, std::int64_t epoch, std::int64_t step)
      : graph_(graph), options_(options) {
    const bool items = graph.users < graph.nodes;
    const std::int64_t steps = (graph.users + options.batch - 1) / options.batch;
    positives_.resize(graph.users);
    for (const auto& [place, weight] : graph.entries) {
      if (place.first < graph.users && (!items || place.second >= graph.users)) {
        positives_[place.first].push_back(place.second);
      }
    }
    double total = 0;
    for (const auto& row : positives_) {
      for (std::size_t i = 0; i < row.size(); ++i)
        total += std::pow(static_cast<double>(row.size()), -options.degree_power);
    }
    const RandomPermutation order(static_cast<std::uint64_t>(graph.users), options.seed, Purpose::softmax_users,
                                  static_cast<std::uint64_t>(epoch));
    for (std::int64_t user = 0; user < graph.users; ++user) {
      const auto turn = static_cast<std::int64_t>(order(static_cast<std::uint64_t>(user)));
      const auto degree = static_cast<double>(positives_[user].size());
      const bool chosen = turn / options.batch == step && degree > 0;
      weight_.push_back(chosen ? static_cast<double>(steps) * std::pow(degree, -options.degree_power) / total : 0.0);
    }
    const CounterRandom random(options.seed, Purpose::softmax_pool);
    for (std::int64_t k = 0; k < options.pool; ++k) {
      const auto candidates = static_cast<std::uint64_t>(items ? graph.nodes - graph.users : graph.users);
      pool_.push_back((items ? graph.users : 0) + static_cast<std::int64_t>(random.below(
                                                      candidates, static_cast<std::uint64_t>(step * options.pool + k),
                                                      static_cast<std::uint32_t>(epoch))));
    }
  }

  double loss(const Dense& z) const {
    double sum = 0;
    for (std::int64_t user = 0; user < graph_.users; ++user) {
      const double weight = weight_[user];
      if (weight == 0) continue;
      double denominator = 0;
      for (const auto item : pool_) denominator += std::exp(cosine(z, user, item) / options_.temperature);
      for (const auto item : positives_[user]) {
        sum += weight * (-cosine(z, user, item) / options_.temperature + std::log(denominator));
      }
    }
    return sum;
  }

 private:
  static double cosine(const Dense& z, std::int64_t a, std::int64_t b) {
    double dot = 0;
    double left = 0;
    double right = 0;
    for (std::int64_t c = 0; c < z.columns; ++c) {
      dot += z.at(a, c) * z.at(b, c);
      left += z.at(a, c) * z.at(a, c);
      right += z.at(b, c) * z.at(b, c);
    }
    return left > 0 && right > 0 ? dot / std::sqrt(left * right) : 0.0;
  }

  const SmallGraph& graph_;
  SoftmaxOptions options_;
  std::vector<std::vector<std::int64_t>> positives_;
  std::vector<double> weight_;
  std::vector<std::int64_t> pool_;
};

struct Found {
  double loss = 0;
  Whole gradient;  ///< of all nodes, zero where the step has none
  friend bool operator==(const Found&, const Found&) = default;
};

Found run(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, const SoftmaxOptions& options,
          int threads) {
  Softmax softmax(comm, graph, columns, options, threads);
  // Steps before must leave nothing behind; the last one of the second epoch counts.
  SparseGradient gradient{};
  std::vector<double> partial(graph.layout.shards_of_rank.count(comm.rank()));
  for (const auto& [epoch, step] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {1, 0}, {1, softmax.steps() - 1}}) {
    softmax.begin_epoch(epoch);
    EXPECT_EQ(softmax.plan(step), 1);
    const auto z = softmax.outputs(step, 0);
    std::int64_t place = 0;
    for (const auto list : {softmax.rows(step, 0).interior, softmax.rows(step, 0).boundary}) {
      for (const LocalRow row : list) {
        const auto node = graph.node[row.value].value;
        for (std::int64_t c = 0; c < columns; ++c) z.row(place)[c] = static_cast<float>(value_of(node, c));
        ++place;
      }
    }
    gradient = softmax.gradient(step, 0, {}, partial);
  }
  Found found;
  found.loss = shard_sum(comm, graph.layout, partial);
  Matrix whole(graph.owned(), columns);
  std::int64_t place = 0;
  for (const auto list : {gradient.rows.interior, gradient.rows.boundary}) {
    for (const LocalRow row : list) std::copy_n(gradient.value.row(place++), whole.stride(), whole.row(row.value));
  }
  found.gradient = testing_support::gather(comm, graph, whole.view());
  // The halo of the gradient brings the ghosts their owners' rows.
  RowExchange exchange(comm, columns);
  exchange.start(*gradient.halo, gradient.value, gradient.value.row(gradient.rows.size()));
  exchange.finish();
  for (std::size_t i = 0; i < gradient.ghost.size(); ++i) {
    const auto node = graph.node[gradient.ghost[i].value].value;
    for (std::int64_t c = 0; c < columns; ++c) {
      EXPECT_EQ(gradient.value.row(gradient.rows.size() + static_cast<std::int64_t>(i))[c], found.gradient.at(node, c));
    }
  }
  return found;
}

TEST(Softmax, LossAndGradientAreThoseOfTheFormula) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    for (const double power : {0.0, 0.5}) {
      SCOPED_TRACE(small.name + ", power " + std::to_string(power));
      constexpr std::int64_t columns = 10;
      const auto options = options_of(power);
      const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
      const auto found = run(comm, sharded.graph, columns, options, 1);
      const std::int64_t steps = (small.users + options.batch - 1) / options.batch;
      const Reference reference(small, options, 1, steps - 1);
      Dense z(small.nodes, columns);
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        for (std::int64_t c = 0; c < columns; ++c) z.at(node, c) = value_of(node, c);
      }
      EXPECT_NEAR(found.loss, reference.loss(z), 1e-5 * std::abs(reference.loss(z)));
      double largest = 0;
      for (const float value : found.gradient.values) largest = std::max(largest, std::abs(static_cast<double>(value)));
      EXPECT_GT(largest, 0.0);
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        if (node == 3) continue;  // its row is zero: a cosine has no derivative there
        for (std::int64_t c = 0; c < columns; ++c) {
          constexpr double h = 1e-5;
          const double at = z.at(node, c);
          z.at(node, c) = at + h;
          const double above = reference.loss(z);
          z.at(node, c) = at - h;
          const double below = reference.loss(z);
          z.at(node, c) = at;
          ASSERT_NEAR(static_cast<double>(found.gradient.at(node, c)), (above - below) / (2 * h), 2e-5 * largest + 1e-8)
              << "node " << node << ", column " << c;
        }
      }
      for (std::int64_t c = 0; c < columns; ++c) EXPECT_EQ(found.gradient.at(3, c), 0.0F);
    }
  }
}

TEST(Softmax, BitsAreTheSameOnAnyRanksAndThreads) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    SCOPED_TRACE(small.name);
    std::vector<Found> found;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
      for (const int threads : {1, 2}) {
        found.push_back(run(comm, sharded.graph, 33, options_of(0.5), threads));
      }
    }
    for (std::size_t i = 1; i < found.size(); ++i) EXPECT_EQ(found[i], found[0]);
  }
}

TEST(Softmax, EveryUserIsTakenOnceAnEpoch) {
  const auto comm = Communicator::world();
  const auto small = testing_support::random_bipartite(40, 25, 160, 1);
  const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
  Softmax softmax(comm, sharded.graph, 10, options_of(0.5), 1);
  softmax.begin_epoch(4);
  std::vector<std::int64_t> taken(40, 0);
  for (std::int64_t step = 0; step < softmax.steps(); ++step) {
    softmax.plan(step);
    for (const auto list : {softmax.rows(step, 0).interior, softmax.rows(step, 0).boundary}) {
      for (const LocalRow row : list) {
        const auto node = sharded.graph.node[row.value].value;
        if (node < 40) ++taken[node];
      }
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(taken));
  EXPECT_EQ(taken, std::vector<std::int64_t>(40, 1));
}

TEST(Softmax, NothingToTrainOnIsSaid) {
  const auto comm = Communicator::world();
  const auto small = testing_support::isolated(9);
  const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
  EXPECT_THROW(Softmax(comm, sharded.graph, 10, options_of(0.5), 1), InputError);
}

}  // namespace
}  // namespace cohort
