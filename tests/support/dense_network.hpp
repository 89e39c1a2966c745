// Networks with weights written down densely in float64, on any matrix of edges: what they give on a graph without an
// edge, or with nodes that only take. For the tests of what is done with trained networks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/config.hpp"
#include "model/network.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort::testing_support {

struct NetworkForm {
  EncoderKind kind;
  std::vector<std::int64_t> hidden;
  int smoothings = 0;
};

/// In [-1, 1], a float.
inline double drawn_value(std::int64_t row, std::int64_t column, unsigned salt) {
  std::mt19937 random(static_cast<unsigned>(row * 1000 + column) * 7U + salt);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

inline Dense product_of(const Dense& a, const Dense& b) {
  Dense result(a.rows, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t k = 0; k < a.columns; ++k) {
      for (std::int64_t j = 0; j < b.columns; ++j) result.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return result;
}

inline Dense edges_of(const SmallGraph& graph) {
  Dense matrix(graph.nodes, graph.nodes);
  for (const auto& [place, weight] : graph.entries) {
    matrix.at(place.first, place.second) = static_cast<double>(weight);
  }
  return matrix;
}

/// D^-1 A, or D^-1/2 (A + I) D^-1/2, D by rows.
inline Dense normalised_edges(Dense matrix, bool mean) {
  std::vector<double> degree(matrix.rows, 0.0);
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    if (!mean) matrix.at(i, i) += 1;
    for (std::int64_t j = 0; j < matrix.rows; ++j) degree[i] += matrix.at(i, j);
  }
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    for (std::int64_t j = 0; j < matrix.rows; ++j) {
      if (matrix.at(i, j) != 0) matrix.at(i, j) /= mean ? degree[i] : std::sqrt(degree[i] * degree[j]);
    }
  }
  return matrix;
}

/// With relu. edges: row by row what a node takes from.
inline Dense dense_network(const NetworkForm& form, const Dense& edges, Dense rows, const std::vector<Dense>& weights) {
  const bool sage = form.kind == EncoderKind::sage;
  const auto matrix = normalised_edges(edges, sage);
  const std::size_t each = sage ? 2 : 1;
  for (std::size_t w = 0; w < weights.size(); w += each) {
    auto next = product_of(product_of(matrix, rows), weights[w]);
    if (sage) {
      const auto own = product_of(rows, weights[w + 1]);
      for (std::size_t i = 0; i < next.values.size(); ++i) next.values[i] += own.values[i];
    }
    if (w + each < weights.size()) {
      for (auto& x : next.values) x = std::max(x, 0.0);
    }
    rows = next;
  }
  if (form.smoothings == 0) return rows;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    double square = 0;
    for (std::int64_t c = 0; c < rows.columns; ++c) square += rows.at(i, c) * rows.at(i, c);
    for (std::int64_t c = 0; square > 0 && c < rows.columns; ++c) rows.at(i, c) /= std::sqrt(square);
  }
  const auto plain = normalised_edges(edges, false);
  for (int s = 0; s < form.smoothings; ++s) rows = product_of(plain, rows);
  return rows;
}

/// A network on shards; layer 0 is drawn_value(node, column, 1).
class NetworkOnShards {
 public:
  NetworkOnShards(const Communicator& comm, const SmallGraph& graph, const NetworkForm& form, std::int64_t columns,
                  const Distribution& cuts, int threads = 1)
      : sharded(shard(comm, graph.block(comm), cuts)),
        propagation(comm, sharded.graph, columns, threads),
        network(comm, propagation, {form.kind, form.hidden, Activation::relu, form.smoothings, 5}, {}),
        base(propagation.matrix()) {
    for (std::int64_t row = 0; row < sharded.graph.owned(); ++row) {
      for (std::int64_t c = 0; c < columns; ++c) {
        base.row(row)[c] = static_cast<float>(drawn_value(sharded.graph.node[row].value, c, 1));
      }
    }
  }
  std::vector<Dense> weights() {
    std::vector<Dense> result;
    for (const auto& weight : network.weights()) {
      auto& matrix = result.emplace_back(weight.value.rows(), weight.value.columns());
      for (std::int64_t r = 0; r < matrix.rows; ++r) {
        for (std::int64_t c = 0; c < matrix.columns; ++c) {
          matrix.at(r, c) = static_cast<double>(weight.value.row(r)[c]);
        }
      }
    }
    return result;
  }
  ShardedGraph sharded;
  Propagation propagation;
  Network network;
  HaloMatrix base;
};

}  // namespace cohort::testing_support
