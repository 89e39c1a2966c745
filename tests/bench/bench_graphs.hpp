// Graphs for the benchmarks: symmetric, D^-1/2 A D^-1/2, users before items.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "kernels/spmm.hpp"

namespace cohort::bench {

struct Graph {
  std::string name;
  std::vector<std::int64_t> row_begin;
  std::vector<LocalRow> column;  ///< ascending in a row
  std::vector<float> value;

  std::int64_t nodes() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
  std::int64_t entries() const { return static_cast<std::int64_t>(column.size()); }
  SparseRows rows() const { return {row_begin, column, value}; }
};

/// The graph of (user, item) pairs; duplicates count once.
Graph bipartite_graph(std::string name, std::int64_t users, std::int64_t items,
                      std::vector<std::pair<std::int32_t, std::int32_t>> pairs);

/// Gowalla's training set ($COHORT_SHARED_DATA/gowalla/train.txt.gz), or a made-up graph of its shape where it is not
/// there.
Graph gowalla_graph();

/// Users and items in `segments` planted segments, numbered at random; 80 % of the interactions stay inside.
Graph planted_graph(std::int64_t users, std::int64_t items, std::int64_t interactions, std::int64_t segments);

/// This rank's block of the graph's interactions. Collective.
Dataset interactions_of(const Communicator& comm, const Graph& graph, std::int64_t users);

/// The same graph with its nodes ordered by METIS part (k-way, edge cut), inside a part as before; a row's neighbours
/// keep their order, so that every row sums to the same bits.
Graph in_metis_order(const Graph& graph, std::int32_t parts);

}  // namespace cohort::bench
