// The leading eigenvectors against a dense solver in float64, and to the bit between ways to put the shards on ranks
// and threads.
#include "model/spectral.hpp"

#include <gtest/gtest.h>

#include "core/eigen.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::SmallGraph;
using testing_support::Whole;

constexpr std::int64_t dim = 12;

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  auto social = random_bipartite(30, 20, 150, 3);
  social.name = "bipartite with friends";
  for (std::int64_t user = 0; user + 5 < 30; user += 3) social.edge(user, user + 5, 2.0F);
  return {path(20),
          star(25),
          isolated(9),
          random_bipartite(60, 45, 300, 1),
          random_bipartite(40, 6, 90, 2),
          social,
          planted(60, 4, 400, 0.1, 5)};
}

Eigen::MatrixXd dense(const SmallGraph& graph) {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(graph.nodes, graph.nodes);
  for (const auto& [place, value] : graph.normalised()) matrix(place.first, place.second) = static_cast<double>(value);
  return matrix;
}

bool joins_users(const SmallGraph& graph) {
  for (const auto& [place, value] : graph.entries) {
    if (place.first < graph.users && place.second < graph.users) return true;
  }
  return false;
}

/// Singular values of the users' rows and the items' columns, or eigenvalues by descending magnitude.
std::vector<double> expected_values(const SmallGraph& graph) {
  const auto matrix = dense(graph);
  std::vector<double> values;
  if (graph.users < graph.nodes && !joins_users(graph)) {
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(matrix.topRightCorner(graph.users, graph.nodes - graph.users));
    values.assign(svd.singularValues().begin(), svd.singularValues().end());
  } else {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
    values.assign(solver.eigenvalues().begin(), solver.eigenvalues().end());
  }
  for (auto& value : values) value = std::abs(value);
  std::ranges::sort(values, std::greater<>());
  values.resize(dim, 0.0);
  for (auto& value : values) {
    if (value <= 1e-3 * values.front()) value = 0;
  }
  return values;
}

SpectralOptions converged(int threads) {
  SpectralOptions options;
  options.dim = dim;
  options.iterations = 200;
  options.oversampling = 6;
  options.threads = threads;
  return options;
}

TEST(Spectral, ValuesAndVectorsAreThoseOfADenseSolver) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    SCOPED_TRACE(small.name);
    const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
    const auto found = leading_eigenvectors(comm, sharded.graph, converged(1));
    const auto expected = expected_values(small);
    const bool halves = small.users < small.nodes && !joins_users(small);
    const auto whole = testing_support::gather(comm, sharded.graph, found.vectors.view());
    Eigen::MatrixXd vectors(small.nodes, dim);
    for (std::int64_t i = 0; i < small.nodes; ++i) {
      for (std::int64_t j = 0; j < dim; ++j) vectors(i, j) = static_cast<double>(whole.at(i, j));
    }
    // A vector is checked by what makes it one, as equal values leave its direction open.
    const Eigen::MatrixXd image = dense(small) * vectors;
    ASSERT_EQ(std::ssize(found.values), dim);
    for (std::int64_t j = 0; j < dim; ++j) {
      SCOPED_TRACE("column " + std::to_string(j));
      const double value = found.values[j];
      EXPECT_NEAR(std::abs(value), expected[j], 2e-5);
      EXPECT_LT((image.col(j) - value * vectors.col(j)).norm(), 1e-3);
      const double length = value == 0 ? 0.0 : 1.0;
      if (halves) {
        EXPECT_NEAR(vectors.col(j).head(small.users).norm(), length, 1e-5);
        EXPECT_NEAR(vectors.col(j).tail(small.nodes - small.users).norm(), length, 1e-5);
      } else {
        EXPECT_NEAR(vectors.col(j).norm(), length, 1e-5);
      }
      for (std::int64_t k = 0; k < j; ++k) EXPECT_NEAR(vectors.col(j).dot(vectors.col(k)), 0.0, 2e-4);
      Eigen::Index largest = 0;
      vectors.col(j).cwiseAbs().maxCoeff(&largest);
      EXPECT_TRUE(value == 0 || vectors(largest, j) > 0);
    }
  }
}

TEST(Spectral, BitsAreTheSameOnAnyRanksAndThreads) {
  const auto comm = Communicator::world();
  for (const auto& small : graphs()) {
    SCOPED_TRACE(small.name);
    auto options = converged(1);
    options.iterations = 3;
    std::vector<Whole> vectors;
    std::vector<std::vector<double>> values;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      for (const int threads : {1, 2}) {
        options.threads = threads;
        const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
        const auto found = leading_eigenvectors(comm, sharded.graph, options);
        vectors.push_back(testing_support::gather(comm, sharded.graph, found.vectors.view()));
        values.push_back(found.values);
      }
    }
    for (std::size_t i = 1; i < vectors.size(); ++i) {
      EXPECT_EQ(vectors[i], vectors[0]);
      EXPECT_EQ(values[i], values[0]);
    }
  }
}

TEST(Spectral, StartHasRowsOfOneLength) {
  const auto comm = Communicator::world();
  const auto small = testing_support::random_bipartite(40, 25, 160, 1);
  const auto sharded = testing_support::shard(comm, small.block(comm), testing_support::all_cuts(comm).front());
  const auto found = leading_eigenvectors(comm, sharded.graph, converged(1));
  const auto start = spectral_start(found, 0.8);
  for (std::int64_t row = 0; row < start.rows(); ++row) {
    std::vector<double> wanted;
    double squares = 0;
    for (std::int64_t j = 0; j < dim; ++j) {
      wanted.push_back(static_cast<double>(found.vectors.row(row)[j]) * std::sqrt(std::abs(found.values[j])));
      squares += wanted.back() * wanted.back();
    }
    for (std::int64_t j = 0; j < dim; ++j) {
      const double scale = squares > 0 ? 0.8 / std::sqrt(squares) : 0.0;
      EXPECT_NEAR(static_cast<double>(start.row(row)[j]), scale * wanted[j], 1e-6);
    }
  }
}

}  // namespace
}  // namespace cohort
