// A small bipartite graph, LightGCN over it by dense arithmetic in float64, and the table that new users are folded in
// with. For the tests of folding in and of assignment.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "assign/fold_in.hpp"

namespace cohort::testing_support {

using Dense = std::vector<std::vector<double>>;

// User 4 and item 6 have no edge.
inline constexpr std::int64_t users = 14;
inline constexpr std::int64_t items = 11;

inline Dense zeros(std::int64_t rows, std::int64_t columns) {
  return Dense(static_cast<std::size_t>(rows), std::vector<double>(columns, 0.0));
}

inline Dense random_dense(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  auto result = zeros(rows, columns);
  for (auto& row : result) {
    for (auto& value : row) value = static_cast<float>(random()) / static_cast<float>(std::mt19937::max()) - 0.3F;
  }
  return result;
}

// Edge weights, users x items.
inline Dense some_edges() {
  std::mt19937 random(5);
  auto weight = zeros(users, items);
  for (std::size_t u = 0; u < weight.size(); ++u) {
    for (std::size_t i = 0; i < weight[u].size(); ++i) {
      if (u != 4 && i != 6 && random() % 3 == 0) weight[u][i] = 0.5 * static_cast<double>(1 + random() % 5);
    }
    if (u != 4) weight[u][u % 5] = 1;
  }
  return weight;
}

inline PairTable block_of(const Dense& edges, const Distribution& blocks, int rank) {
  PairTable table;
  for (auto u = blocks.begin(rank); u < blocks.end(rank); ++u) {
    const auto& row = edges[u];
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == 0) continue;
      table.other.push_back(static_cast<std::int64_t>(i));
      table.weight.push_back(static_cast<float>(row[i]));
    }
    table.row_begin.push_back(table.size());
  }
  return table;
}

inline Matrix block_of_rows(const Dense& dense, std::int64_t first, std::int64_t count, std::int64_t columns) {
  Matrix result(count, columns);
  for (std::int64_t i = 0; i < count; ++i) {
    std::ranges::transform(dense[first + i], result.row(i), [](double value) { return static_cast<float>(value); });
  }
  return result;
}

// LightGCN's whole computation over a bipartite graph, by the formulas of the paper.
struct Reference {
  Dense edges = some_edges();
  std::vector<double> degree;  // users, then items
  Dense base, below, trained;  // E, S, e

  Reference(std::int64_t layers, std::int64_t columns)
      : degree(static_cast<std::size_t>(users + items), 0.0), base(random_dense(users + items, columns, 9)) {
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t i = 0; i < items; ++i) {
        degree[u] += edges[u][i];
        degree[users + i] += edges[u][i];
      }
    }
    auto layer = base;
    auto sum = base;
    below = base;
    for (std::int64_t l = 1; l <= layers; ++l) {
      below = sum;
      layer = propagate(layer);
      for (std::size_t n = 0; n < sum.size(); ++n) {
        for (std::size_t j = 0; j < sum[n].size(); ++j) sum[n][j] += layer[n][j];
      }
    }
    trained = sum;
    for (auto& row : trained) {
      for (auto& value : row) value /= static_cast<double>(layers + 1);
    }
  }
  Dense propagate(const Dense& in) const {
    auto out = zeros(users + items, std::ssize(in[0]));
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t i = 0; i < items; ++i) {
        if (edges[u][i] == 0) continue;
        const double value = edges[u][i] / std::sqrt(degree[u] * degree[users + i]);
        for (std::size_t j = 0; j < in[0].size(); ++j) {
          out[u][j] += value * in[users + i][j];
          out[users + i][j] += value * in[u][j];
        }
      }
    }
    return out;
  }
  /// n_u of all users.
  Dense neighbourhood() const { return propagate(below); }
  double scale() const {
    const auto n = neighbourhood();
    double with_trained = 0;
    double with_itself = 0;
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t j = 0; j < n[u].size(); ++j) {
        with_trained += n[u][j] * trained[u][j];
        with_itself += n[u][j] * n[u][j];
      }
    }
    return with_trained / with_itself;
  }
};

// Even blocks, and everything on the last rank.
inline std::vector<Distribution> cuts(const Communicator& comm, std::int64_t total) {
  std::vector<std::int64_t> last(comm.size() + 1, 0);
  last.back() = total;
  return {Distribution::even(total, comm.size()), Distribution(last)};
}

struct Folded {
  FoldInTable table;
  Matrix rows;
};

inline Folded fold(const Communicator& comm, const Reference& reference, const Distribution& user_blocks,
                   const Distribution& item_blocks) {
  const auto rank = comm.rank();
  const auto columns = std::ssize(reference.base[0]);
  const auto edges = block_of(reference.edges, user_blocks, rank);
  const auto below = block_of_rows(reference.below, users + item_blocks.begin(rank), item_blocks.count(rank), columns);
  const auto trained = block_of_rows(reference.trained, user_blocks.begin(rank), user_blocks.count(rank), columns);
  Folded result;
  result.table = make_fold_in(comm, {below.view(), trained.view(), &edges, &item_blocks, &user_blocks});
  result.rows = fold_in(comm, result.table.rows.view(), item_blocks, edges);
  return result;
}

}  // namespace cohort::testing_support
