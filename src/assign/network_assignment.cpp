#include "assign/network_assignment.hpp"

#include <cmath>
#include <span>
#include <utility>

#include "assign/fold_in.hpp"
#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "data/feature_columns.hpp"
#include "graph/edge_weights.hpp"
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

NetworkPlacer::NetworkPlacer(const Communicator& comm, const NetworkAssignInput& input)
    : comm_(comm),
      input_(input),
      rows_(input.network->rows_for_outside(*input.base, !input.dataset->users_alone, input.features->user_files)) {
  const auto& dataset = *input.dataset;
  if (dataset.users_alone && dataset.has_items()) similar_.emplace(comm, dataset, input.graph);
}

// By positions. Collective.
PairTable NetworkPlacer::edges_into(const IdTable& users, const PairTable& items, const PairTable& friends) {
  const auto& dataset = *input_.dataset;
  PairTable edges;
  if (similar_) {
    edges = similar_->most_similar(items, find_ids(comm_, dataset.users, users));
  } else {
    comm_.attempt([&] { edges = items; });
    for (auto& other : edges.other) other += dataset.users.total();
  }
  std::vector<NodeId> nodes;
  comm_.attempt([&] {
    edges = merged(friends, edges);
    for (const auto other : edges.other) nodes.emplace_back(other);
  });
  const auto positions = input_.sharded->directory.lookup(comm_, nodes);
  for (std::size_t k = 0; k < positions.size(); ++k) edges.other[k] = positions[k].value;
  return edges;
}

NetworkPlacer::Embedded NetworkPlacer::embed(const IdTable& users, const PairTable& items, const PairTable& friends,
                                             std::span<const FeatureTable> tables) {
  const auto edges = edges_into(users, items, friends);
  std::vector<double> degree;
  comm_.attempt([&] { degree = degrees_of(edges); });
  OutsideNodes nodes;
  nodes.degree = degree;
  nodes.gather = [&](ConstMatrixView rows) {
    // What is folded in is divided by the root of the degree.
    auto sums = fold_in(comm_, rows, input_.sharded->graph.positions, edges);
    for (std::int64_t u = 0; u < sums.rows(); ++u) {
      const double root = std::sqrt(degree[u]);
      float* const row = sums.row(u);
      for (std::int64_t c = 0; c < sums.columns(); ++c) row[c] = static_cast<float>(root * static_cast<double>(row[c]));
    }
    return sums;
  };
  OutsideFeatures features;
  if (input_.features->columns > 0) {
    comm_.attempt([&] { features = outside_features(*input_.features, tables, edges.rows()); });
    nodes.features = &features;
  }
  Embedded result{input_.network->outside(rows_, nodes), {}};
  for (std::size_t u = 0; u < degree.size(); ++u) {
    result.has_basis.push_back(degree[u] > 0 || (!features.any.empty() && features.any[u] != 0) ? 1 : 0);
  }
  return result;
}

Assignment assign_by_network(const Communicator& comm, const NetworkAssignInput& input, const Newcomers& newcomers,
                             const AssignOptions& options) {
  NetworkPlacer placer(comm, input);
  const auto embedded = placer.embed(newcomers.users, newcomers.edges, newcomers.friends, newcomers.features);
  return assign_embedded(comm, *input.result, users_of_items(comm, *input.dataset, input.graph), newcomers.edges,
                         embedded.rows.view(), embedded.has_basis, options);
}

void check_newcomer_features(const Dataset& dataset, std::span<const FeatureTable> features,
                             const std::vector<std::string>& files, const std::vector<std::string>& trained) {
  for (std::size_t f = 0; f < features.size(); ++f) {
    const auto why = other_columns(features[f], files.at(f), dataset.user_features.at(f), trained.at(f));
    if (!why.empty()) throw InputError(why);
  }
}

}  // namespace cohort
