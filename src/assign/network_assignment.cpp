#include "assign/network_assignment.hpp"

#include <cmath>
#include <span>
#include <utility>

#include "assign/fold_in.hpp"
#include "comm/index_plan.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "graph/edge_weights.hpp"
#include "graph/user_similarity.hpp"
#include "ingest/ids/dictionary.hpp"
#include "model/outside_nodes.hpp"

namespace cohort {

namespace {

// Edges into the graph, by positions. Collective.
PairTable edges_into(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers) {
  PairTable edges;
  std::int64_t first_node = 0;
  if (input.dataset->users_alone) {
    const auto self = find_ids(comm, input.dataset->users, newcomers.users);
    edges = similar_to(comm, *input.dataset, input.graph, newcomers.edges, self);
  } else {
    comm.attempt([&] { edges = newcomers.edges; });
    first_node = input.dataset->users.total();
  }
  std::vector<NodeId> nodes;
  comm.attempt([&] {
    for (const auto other : edges.other) nodes.emplace_back(first_node + other);
  });
  const auto positions = input.sharded->directory.lookup(comm, nodes);
  for (std::size_t k = 0; k < positions.size(); ++k) edges.other[k] = positions[k].value;
  return edges;
}

std::vector<double> degrees_of(const PairTable& edges) {
  std::vector<double> degree;
  for (std::int64_t u = 0; u < edges.rows(); ++u) {
    double sum = 0;
    for (const auto k : places_of(edges.row_begin, u)) sum += static_cast<double>(edges.weight[k]);
    degree.push_back(sum);
  }
  return degree;
}

}  // namespace

std::vector<std::int64_t> users_of_items(const Communicator& comm, const Dataset& dataset, const GraphConfig& graph) {
  const EdgeWeights weights(graph);
  const auto& table = dataset.interactions;
  Distinct items;
  std::vector<std::int64_t> count;
  std::vector<std::int64_t> users;
  comm.attempt([&] {
    std::vector<std::int64_t> with_weight;
    for (std::size_t k = 0; k < table.other.size(); ++k) {
      if (weights.interaction(table.weight[k]) != 0) with_weight.push_back(table.other[k]);
    }
    items = distinct_of(with_weight);
    count.assign(items.values.size(), 0);
    for (const auto place : items.place) ++count[place];
    users.assign(dataset.items.distribution.count(comm.rank()), 0);
  });
  IndexPlan(comm, dataset.items.distribution, items.values).add<std::int64_t>(count, users);
  return users;
}

Assignment assign_by_network(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers,
                             const AssignOptions& options) {
  const auto edges = edges_into(comm, input, newcomers);
  std::vector<double> degree;
  comm.attempt([&] { degree = degrees_of(edges); });
  OutsideNodes nodes;
  nodes.degree = degree;
  nodes.by_items = !input.dataset->users_alone;
  nodes.gather = [&](ConstMatrixView rows) {
    // What is folded in is divided by the root of the degree.
    auto sums = fold_in(comm, rows, input.sharded->graph.positions, edges);
    for (std::int64_t u = 0; u < sums.rows(); ++u) {
      const double root = std::sqrt(degree[u]);
      float* const row = sums.row(u);
      for (std::int64_t c = 0; c < sums.columns(); ++c) row[c] = static_cast<float>(root * static_cast<double>(row[c]));
    }
    return sums;
  };
  const auto embedding = input.network->outside(*input.base, nodes);
  std::vector<char> placed;
  for (const auto d : degree) placed.push_back(d > 0 ? 1 : 0);
  return assign_embedded(comm, *input.result, users_of_items(comm, *input.dataset, input.graph), newcomers.edges,
                         embedding.view(), placed, options);
}

}  // namespace cohort
