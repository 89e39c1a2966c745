#include "assign/network_assignment.hpp"

#include <cmath>
#include <span>
#include <utility>

#include "assign/fold_in.hpp"
#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "graph/edge_weights.hpp"
#include "graph/user_similarity.hpp"
#include "ingest/ids/dictionary.hpp"
#include "model/outside_nodes.hpp"

namespace cohort {

namespace {

// Where users are who have both, as the graph of users has them: one edge of both weights. Local.
PairTable merged(const PairTable& a, const PairTable& b) {
  PairTable result;
  for (std::int64_t row = 0; row < a.rows(); ++row) {
    auto i = static_cast<std::size_t>(a.row_begin[row]);
    auto j = static_cast<std::size_t>(b.row_begin[row]);
    const auto a_end = static_cast<std::size_t>(a.row_begin[row + 1]);
    const auto b_end = static_cast<std::size_t>(b.row_begin[row + 1]);
    while (i < a_end || j < b_end) {
      const bool from_a = i < a_end && (j == b_end || a.other[i] <= b.other[j]);
      const bool from_b = j < b_end && (i == a_end || b.other[j] <= a.other[i]);
      result.other.push_back(from_a ? a.other[i] : b.other[j]);
      double weight = 0;
      if (from_a) weight += static_cast<double>(a.weight[i++]);
      if (from_b) weight += static_cast<double>(b.weight[j++]);
      result.weight.push_back(static_cast<float>(weight));
    }
    result.row_begin.push_back(result.size());
  }
  return result;
}

// Edges into the graph, by nodes. Collective.
PairTable edges_to_nodes(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers) {
  const auto& dataset = *input.dataset;
  PairTable edges;
  if (!dataset.has_items()) {
    comm.attempt([&] { edges = newcomers.friends; });
    return edges;
  }
  if (dataset.users_alone) {
    const auto self = find_ids(comm, dataset.users, newcomers.users);
    edges = similar_to(comm, dataset, input.graph, newcomers.edges, self);
  } else {
    comm.attempt([&] { edges = newcomers.edges; });
    for (auto& other : edges.other) other += dataset.users.total();
  }
  comm.attempt([&] { edges = merged(newcomers.friends, edges); });
  return edges;
}

// The same by positions. Collective.
PairTable edges_into(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers) {
  auto edges = edges_to_nodes(comm, input, newcomers);
  std::vector<NodeId> nodes;
  comm.attempt([&] {
    for (const auto other : edges.other) nodes.emplace_back(other);
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
  OutsideFeatures features;
  if (input.features->columns > 0) {
    comm.attempt([&] { features = outside_features(*input.features, newcomers.features, edges.rows()); });
    nodes.features = &features;
  }
  const auto embedding = input.network->outside(*input.base, nodes);
  std::vector<char> placed;
  for (std::size_t u = 0; u < degree.size(); ++u) {
    placed.push_back(degree[u] > 0 || (!features.any.empty() && features.any[u] != 0) ? 1 : 0);
  }
  return assign_embedded(comm, *input.result, users_of_items(comm, *input.dataset, input.graph), newcomers.edges,
                         embedding.view(), placed, options);
}

void check_newcomer_features(const Dataset& dataset, std::span<const FeatureTable> features,
                             const std::vector<std::string>& files, const std::vector<std::string>& trained) {
  for (std::size_t f = 0; f < features.size(); ++f) {
    const auto columns = dataset.user_features.at(f).columns;
    if (features[f].columns == columns) continue;
    throw InputError(files.at(f) + ": has " + counted(features[f].columns, "column") +
                     ", but the network was trained on " + with_commas(columns) + " in " + trained.at(f) +
                     "; files of features are given in the order of training, with the same columns in the same order");
  }
}

}  // namespace cohort
