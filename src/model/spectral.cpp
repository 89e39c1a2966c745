#include "model/spectral.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "kernels/spmm.hpp"
#include "model/subspace.hpp"

namespace cohort {

namespace {

bool counts(double value, const std::vector<double>& values) {
  return std::abs(value) > least_eigenvalue_share * std::abs(values.front());
}

// The columns of `vectors` over `divisor`, those without a value zero.
Eigen::MatrixXd scaled(Eigen::MatrixXd vectors, const std::vector<double>& divisor, const std::vector<double>& values) {
  for (std::size_t j = 0; j < values.size(); ++j) {
    vectors.col(static_cast<Eigen::Index>(j)) *= counts(values[j], values) ? 1 / divisor[j] : 0.0;
  }
  return vectors;
}

// The wanted values, zero where there is no direction.
std::vector<double> kept(const std::vector<double>& values, std::int64_t dim) {
  std::vector<double> result(dim, 0.0);
  for (std::size_t j = 0; j < std::min(result.size(), values.size()); ++j) {
    if (counts(values[j], values)) result[j] = values[j];
  }
  return result;
}

// Users and items by turns: U = R~ V, V = R~' U.
Spectrum singular_vectors(const ShardGraph& graph, const SpectralOptions& options, Subspace& space) {
  const auto users = space.chosen([&](LocalRow row) { return graph.is_user(row); });
  const auto items = space.chosen([&](LocalRow row) { return !graph.is_user(row); });
  auto block = space.matrix();
  space.start(items, options.seed, block);
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    const bool last = i + 1 == options.iterations;
    if (i > 0) space.orthonormalise(items, block, Subspace::Passes::once);
    space.multiply(users, block, block);
    space.orthonormalise(users, block, last ? Subspace::Passes::twice : Subspace::Passes::once);
    space.multiply(items, block, block);
  }
  // The users' half is an orthonormal basis, the items' half its image: R~ R~' is found in it from the image alone.
  const auto pairs = space.eigenpairs(space.products(items, block, block), Subspace::Order::magnitude);
  auto values = pairs.values;
  for (auto& value : values) value = std::sqrt(std::max(value, 0.0));
  space.transform(users, scaled(pairs.vectors, std::vector<double>(values.size(), 1.0), values), block);
  space.transform(items, scaled(pairs.vectors, values, values), block);
  return {space.finish({&users, &items}, block, options.dim), kept(values, options.dim)};
}

// Of largest magnitude.
Spectrum eigenvectors(const SpectralOptions& options, Subspace& space) {
  const auto all = space.chosen([](LocalRow) { return true; });
  auto block = space.matrix();
  auto image = space.matrix();
  space.start(all, options.seed, block);
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    const bool last = i + 1 == options.iterations;
    space.orthonormalise(all, block, last ? Subspace::Passes::twice : Subspace::Passes::once);
    space.multiply(all, block, image);
    if (!last) std::swap(block, image);
  }
  const auto pairs = space.eigenpairs(space.products(all, block, image), Subspace::Order::magnitude);
  space.transform(all, scaled(pairs.vectors, std::vector<double>(pairs.values.size(), 1.0), pairs.values), block);
  return {space.finish({&all}, block, options.dim), kept(pairs.values, options.dim)};
}

bool joins_users(const Communicator& comm, const ShardGraph& graph) {
  bool found = false;
  for (std::int64_t row = 0; row < graph.owned() && !found; ++row) {
    if (!graph.is_user(LocalRow{static_cast<std::int32_t>(row)})) continue;
    const auto& adjacency = graph.adjacency;
    found = std::any_of(adjacency.column.begin() + adjacency.row_begin[row],
                        adjacency.column.begin() + adjacency.row_begin[row + 1],
                        [&](LocalRow column) { return graph.is_user(column); });
  }
  return comm.any(found);
}

}  // namespace

Spectrum leading_eigenvectors(const Communicator& comm, const ShardGraph& graph, const SpectralOptions& options) {
  COHORT_CHECK(options.dim > 0 && options.iterations > 0 && options.oversampling >= 0);
  const bool bipartite = graph.items > 0 && !joins_users(comm, graph);
  const auto most = bipartite ? std::min(graph.users, graph.items) : graph.users + graph.items;
  Subspace space(comm, graph, std::min(options.dim + options.oversampling, most), options.threads);
  return bipartite ? singular_vectors(graph, options, space) : eigenvectors(options, space);
}

SpectralRows spectral_rows(const Communicator& comm, const ShardGraph& graph, const Spectrum& spectrum, double b,
                           int threads) {
  const auto vectors = spectrum.vectors.view();
  const bool own_rows = joins_users(comm, graph);
  SpectralRows result;
  Propagation propagation(comm, graph, vectors.columns, threads);
  auto base = propagation.matrix();
  comm.attempt([&] {
    result.base = Matrix(graph.owned(), vectors.columns);
    result.embedding = Matrix(graph.owned(), vectors.columns);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const double degree = graph.degree[row];
      const bool is_user = graph.is_user(LocalRow{static_cast<std::int32_t>(row)});
      const double weight = degree > 0 && (own_rows || !is_user) ? 2 * std::pow(degree, 0.5 - b) : 0.0;
      const double of_item = degree > 0 ? std::pow(degree, b) : 0.0;
      for (std::int64_t j = 0; j < vectors.columns; ++j) {
        const auto value = static_cast<double>(vectors.row(row)[j]);
        base.row(row)[j] = static_cast<float>(weight * value);
        result.base.row(row)[j] = base.row(row)[j];
        if (!is_user) result.embedding.row(row)[j] = static_cast<float>(of_item * value);
      }
    }
  });
  RowSet users;
  comm.attempt([&] { users = choose_rows(graph, [&](LocalRow row) { return graph.is_user(row); }); });
  propagation.over(base, users.selection(), [&](std::span<const LocalRow> rows, std::int64_t /*place*/) {
    spmm(propagation.entries(), rows, base.view(), base.view(), 0.5F, result.embedding.view());
  });
  comm.barrier();  // a neighbour may still read the rows
  return result;
}

Matrix spectral_start(const Spectrum& spectrum, double length) {
  const auto vectors = spectrum.vectors.view();
  Matrix result(vectors.rows, vectors.columns);
  for (std::int64_t row = 0; row < vectors.rows; ++row) {
    double squares = 0;
    for (std::int64_t j = 0; j < vectors.columns; ++j) {
      const double value = static_cast<double>(vectors.row(row)[j]) * std::sqrt(std::abs(spectrum.values[j]));
      squares += value * value;
    }
    if (squares == 0) continue;
    const double scale = length / std::sqrt(squares);
    for (std::int64_t j = 0; j < vectors.columns; ++j) {
      result.row(row)[j] = static_cast<float>(static_cast<double>(vectors.row(row)[j]) *
                                              std::sqrt(std::abs(spectrum.values[j])) * scale);
    }
  }
  return result;
}

}  // namespace cohort
