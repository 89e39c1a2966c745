// The eigenvectors of the regularised adjacency against a dense solver in float64, connected or not, and to the bit
// between ways to put the shards on ranks and threads.
#include "model/regularised.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/eigen.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::SmallGraph;
using testing_support::Whole;

constexpr std::int64_t dim = 6;

/// Communities beside pairs, a path and a triangle that hang on nothing.
SmallGraph with_loose_nodes() {
  auto graph = testing_support::planted(60, 3, 300, 0.2, 4);
  graph.name = "planted with loose nodes";
  graph.nodes += 12;
  graph.users = graph.nodes;
  for (std::int64_t i = 60; i < 64; i += 2) graph.edge(i, i + 1);
  for (std::int64_t i = 64; i < 68; ++i) graph.edge(i, i + 1);
  graph.edge(69, 70);
  graph.edge(70, 71);
  graph.edge(71, 69, 0.5F);
  return graph;
}

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  return {path(20), circle(15), star(25), isolated(9), planted(80, 4, 400, 0.1, 5), with_loose_nodes()};
}

/// M of regularised.hpp, and t.
Eigen::MatrixXd dense(const SmallGraph& graph, double& added) {
  const auto degree = graph.degrees();
  added = 0;
  for (const double each : degree) added += each / static_cast<double>(graph.nodes);
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(graph.nodes, graph.nodes);
  for (const auto& [place, weight] : graph.entries) {
    matrix(place.first, place.second) =
        static_cast<double>(weight) / std::sqrt((degree[place.first] + added) * (degree[place.second] + added));
  }
  return matrix;
}

RegularisedOptions options_of(int threads) {
  RegularisedOptions options;
  options.dim = dim;
  options.threads = threads;
  return options;
}

Eigen::MatrixXd whole_of(const Communicator& comm, const ShardGraph& graph, const Matrix& rows, std::int64_t nodes) {
  const auto whole = testing_support::gather(comm, graph, rows.view());
  Eigen::MatrixXd result(nodes, dim);
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < dim; ++j) result(i, j) = static_cast<double>(whole.at(i, j));
  }
  return result;
}

TEST(Regularised, ValuesAndVectorsAreThoseOfADenseSolver) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    SCOPED_TRACE(small.name);
    double added = 0;
    const auto matrix = dense(small, added);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
    const Eigen::VectorXd& ascending = solver.eigenvalues();
    const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
    const auto found = regularised_eigenvectors(comm, sharded.graph, options_of(1));
    EXPECT_NEAR(found.added, added, 1e-9);
    const auto vectors = whole_of(comm, sharded.graph, found.spectrum.vectors, small.nodes);
    const Eigen::MatrixXd image = matrix * vectors;
    for (std::int64_t j = 0; j < dim; ++j) {
      SCOPED_TRACE("column " + std::to_string(j));
      const double value = found.spectrum.values[j];
      const double wanted = ascending[small.nodes - 1 - j];
      EXPECT_NEAR(value, wanted > 1e-3 * ascending[small.nodes - 1] ? wanted : 0.0, 2e-5);
      EXPECT_LT((image.col(j) - value * vectors.col(j)).norm(), 3e-3);
      EXPECT_NEAR(vectors.col(j).norm(), value == 0 ? 0.0 : 1.0, 1e-5);
      for (std::int64_t k = 0; k < j; ++k) EXPECT_NEAR(vectors.col(j).dot(vectors.col(k)), 0.0, 2e-4);
    }
  }
}

TEST(Regularised, RowsAreThoseOfTheirFormula) {
  const auto comm = Communicator::world();
  const auto small = with_loose_nodes();
  const auto degree = small.degrees();
  const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
  const auto found = regularised_eigenvectors(comm, sharded.graph, options_of(1));
  const auto vectors = whole_of(comm, sharded.graph, found.spectrum.vectors, small.nodes);
  for (const double power : {0.0, 2.0}) {
    const auto rows = community_rows(comm, sharded.graph, found, power, 1);
    const auto embedding = whole_of(comm, sharded.graph, rows.embedding, small.nodes);
    const auto base = whole_of(comm, sharded.graph, rows.base, small.nodes);
    for (std::int64_t i = 0; i < small.nodes; ++i) {
      const double d = degree[i];
      const double scale = d > 0 ? std::sqrt((d + found.added) / d) : 0.0;
      for (std::int64_t j = 0; j < dim; ++j) {
        const double value = found.spectrum.values[j];
        const double expected = value > 0 ? scale * std::pow(value, power) * vectors(i, j) : 0.0;
        EXPECT_NEAR(embedding(i, j), expected, 5e-3) << i << ", " << j;
      }
    }
    Eigen::MatrixXd image = Eigen::MatrixXd::Zero(small.nodes, dim);
    for (const auto& [place, value] : small.normalised()) {
      image.row(place.first) += static_cast<double>(value) / 2 * base.row(place.second);
    }
    EXPECT_LT((image - embedding).cwiseAbs().maxCoeff(), 1e-5);
  }
}

TEST(Regularised, BitsAreTheSameOnAnyRanksAndThreads) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    SCOPED_TRACE(small.name);
    std::vector<Whole> vectors;
    std::vector<Whole> embedding;
    std::vector<std::vector<double>> values;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      for (const int threads : {1, 2}) {
        const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
        const auto found = regularised_eigenvectors(comm, sharded.graph, options_of(threads));
        vectors.push_back(testing_support::gather(comm, sharded.graph, found.spectrum.vectors.view()));
        values.push_back(found.spectrum.values);
        const auto rows = community_rows(comm, sharded.graph, found, 2, threads);
        embedding.push_back(testing_support::gather(comm, sharded.graph, rows.embedding.view()));
      }
    }
    for (std::size_t i = 1; i < vectors.size(); ++i) {
      EXPECT_EQ(vectors[i], vectors[0]);
      EXPECT_EQ(embedding[i], embedding[0]);
      EXPECT_EQ(values[i], values[0]);
    }
  }
}

}  // namespace
}  // namespace cohort
