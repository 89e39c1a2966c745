#include "graph/user_graph.hpp"

#include <cmath>
#include <utility>

#include "comm/cost_blocks.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "data/pair_table.hpp"
#include "graph/edge_weights.hpp"

namespace cohort {

namespace {

// Goes through the others of one row of two tables, of which either may have no rows; ascending.
template <class Visit>
void visit_row(const PairTable& neighbours, const PairTable& social, std::size_t row, const EdgeWeights& weighting,
               Visit visit) {
  const auto bounds = [&](const PairTable& table) {
    return table.rows() == 0 ? std::pair<std::size_t, std::size_t>()
                             : std::pair(static_cast<std::size_t>(table.row_begin[row]),
                                         static_cast<std::size_t>(table.row_begin[row + 1]));
  };
  auto [n, neighbours_end] = bounds(neighbours);
  auto [s, social_end] = bounds(social);
  while (n < neighbours_end || s < social_end) {
    const bool from_social = s < social_end && (n == neighbours_end || social.other[s] <= neighbours.other[n]);
    const bool from_neighbours = n < neighbours_end && (s == social_end || neighbours.other[n] <= social.other[s]);
    const auto other = from_social ? social.other[s] : neighbours.other[n];
    double weight = 0;
    if (from_social) weight += static_cast<double>(weighting.social(social.weight[s++]));
    if (from_neighbours) weight += static_cast<double>(neighbours.weight[n++]);
    visit(other, static_cast<float>(weight));
  }
}

}  // namespace

PairTable user_edges(const Communicator& comm, const Dataset& dataset, const GraphConfig& options) {
  const auto& users = dataset.users.distribution;
  const auto count = users.count(comm.rank());
  const auto& social = dataset.social;
  COHORT_CHECK(dataset.neighbours.rows() == 0 || dataset.neighbours.rows() == count);
  COHORT_CHECK(social.rows() == 0 || social.rows() == count);
  const EdgeWeights weighting(options);
  PairTable edges;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < count; ++u) {
      visit_row(dataset.neighbours, social, static_cast<std::size_t>(u), weighting,
                [&](std::int64_t other, float weight) {
                  if (!std::isfinite(weight) || weight < 0) {
                    throw InputError("the weight of two friends becomes " + std::to_string(weight) +
                                     " in the graph; make the weights or graph.social_weight smaller");
                  }
                  if (weight == 0) return;
                  edges.other.push_back(other);
                  edges.weight.push_back(weight);
                });
      edges.row_begin.push_back(edges.size());
    }
  });
  return edges;
}

BlockGraph user_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options) {
  const auto& users = dataset.users.distribution;
  auto edges = user_edges(comm, dataset, options);
  std::vector<std::int64_t> cost;
  comm.attempt([&] {
    for (std::size_t u = 0; u + 1 < edges.row_begin.size(); ++u) {
      cost.push_back(places_of(edges.row_begin, u).size() + 1);
    }
  });
  BlockGraph graph;
  graph.users = users.total();
  graph.distribution = cost_blocks(comm, {cost}, comm.size());
  edges = move_rows(comm, edges, users.begin(comm.rank()), graph.distribution);
  comm.attempt([&] {
    graph.column.reserve(edges.other.size());
    for (const auto other : edges.other) graph.column.emplace_back(other);
  });
  graph.row_begin = std::move(edges.row_begin);
  graph.weight = std::move(edges.weight);
  return graph;
}

BlockGraph block_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options) {
  return dataset.users_alone ? user_graph(comm, dataset, options) : bipartite_graph(comm, dataset, options);
}

}  // namespace cohort
