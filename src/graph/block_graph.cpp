#include "graph/block_graph.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "comm/cost_blocks.hpp"
#include "comm/index_plan.hpp"
#include "data/distinct.hpp"
#include "graph/edge_weights.hpp"

namespace cohort {

namespace {

struct Entry {
  NodeId row;
  NodeId column;
};

struct Entries {
  std::vector<Entry> place;
  std::vector<float> weight;
};

void check_table(const PairTable& table, std::int64_t users) {
  COHORT_CHECK(table.rows() == 0 || table.rows() == users);
}

// Calls visit(row, column, weight) for every adjacency entry that this rank's users make: both directions of an
// interaction, one of a social edge (the table has the other). For any row, columns ascend.
template <class Visit>
void visit_entries(const Dataset& dataset, std::int64_t first_user, const EdgeWeights& weighting, Visit visit) {
  const auto& social = dataset.social;
  const auto& interactions = dataset.interactions;
  const std::int64_t users = dataset.users.total();
  const auto rows = static_cast<std::size_t>(std::max(social.rows(), interactions.rows()));
  for (std::size_t u = 0; u < rows; ++u) {
    const NodeId user{first_user + static_cast<std::int64_t>(u)};
    if (social.rows() > 0) {
      for (auto k = static_cast<std::size_t>(social.row_begin[u]); std::cmp_less(k, social.row_begin[u + 1]); ++k) {
        const float weight = weighting.social(social.weight[k]);
        if (weight != 0) visit(user, NodeId{social.other[k]}, weight);
      }
    }
    if (interactions.rows() > 0) {
      const auto end = static_cast<std::size_t>(interactions.row_begin[u + 1]);
      for (auto k = static_cast<std::size_t>(interactions.row_begin[u]); k < end; ++k) {
        const NodeId item{users + interactions.other[k]};
        const float weight = weighting.interaction(interactions.weight[k]);
        if (weight == 0) continue;
        visit(user, item, weight);
        visit(item, user, weight);
      }
    }
  }
}

// Nodes by rank, so that all have about as many nodes and entries together: an item has many, a user few.
Distribution node_blocks(const Communicator& comm, const Dataset& dataset, const EdgeWeights& weighting) {
  const auto& items = dataset.items.distribution;
  const std::int64_t first_user = dataset.users.distribution.begin(comm.rank());
  Distinct seen;
  std::vector<std::int64_t> of_seen;
  std::vector<std::int64_t> user_cost;
  std::vector<std::int64_t> item_cost;
  comm.attempt([&] {
    seen = distinct_of(dataset.interactions.other);
    of_seen.assign(seen.values.size(), 0);
    user_cost.assign(dataset.users.distribution.count(comm.rank()), 1);
    item_cost.assign(items.count(comm.rank()), 1);
    visit_entries(dataset, first_user, weighting, [&](NodeId row, NodeId /*column*/, float /*weight*/) {
      if (row.value < dataset.users.total()) ++user_cost[row.value - first_user];
    });
    for (std::size_t k = 0; k < seen.place.size(); ++k) {
      if (weighting.interaction(dataset.interactions.weight[k]) != 0) ++of_seen[seen.place[k]];
    }
  });
  IndexPlan(comm, items, seen.values).add<std::int64_t>(of_seen, item_cost);
  return cost_blocks(comm, {user_cost, item_cost}, comm.size());
}

// Entries sent to the ranks that own their rows. What comes is ordered by user within a row, as ranks hold ascending
// users.
Entries send_entries(const Communicator& comm, const Dataset& dataset, const EdgeWeights& weighting,
                     const Distribution& nodes) {
  const std::int64_t first_user = dataset.users.distribution.begin(comm.rank());
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  Entries outgoing;
  comm.attempt([&] {
    visit_entries(dataset, first_user, weighting, [&](NodeId row, NodeId /*column*/, float weight) {
      if (!std::isfinite(weight) || weight < 0) {
        throw InputError("a weight becomes " + std::to_string(weight) +
                         " in the graph; make the weights or graph.social_weight smaller");
      }
      ++begin[nodes.owner(row.value) + 1];
    });
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    outgoing.place.resize(begin.back());
    outgoing.weight.resize(begin.back());
    auto next = begin;
    visit_entries(dataset, first_user, weighting, [&](NodeId row, NodeId column, float weight) {
      const auto at = static_cast<std::size_t>(next[nodes.owner(row.value)]++);
      outgoing.place[at] = {row, column};
      outgoing.weight[at] = weight;
    });
  });
  Entries incoming;
  incoming.place = comm.exchange(std::span<const Entry>(outgoing.place), std::span<const std::int64_t>(begin)).data;
  outgoing.place = {};
  incoming.weight = comm.exchange(std::span<const float>(outgoing.weight), std::span<const std::int64_t>(begin)).data;
  return incoming;
}

}  // namespace

BlockGraph bipartite_graph(const Communicator& comm, const Dataset& dataset, const GraphConfig& options) {
  BlockGraph graph;
  graph.users = dataset.users.total();
  check_table(dataset.interactions, dataset.users.distribution.count(comm.rank()));
  check_table(dataset.social, dataset.users.distribution.count(comm.rank()));
  const EdgeWeights weighting(options);
  graph.distribution = node_blocks(comm, dataset, weighting);
  const auto entries = send_entries(comm, dataset, weighting, graph.distribution);

  const std::int64_t first = graph.distribution.begin(comm.rank());
  comm.attempt([&] {
    graph.row_begin.assign(graph.distribution.count(comm.rank()) + 1, 0);
    for (const auto& entry : entries.place) ++graph.row_begin[entry.row.value - first + 1];
    std::partial_sum(graph.row_begin.begin(), graph.row_begin.end(), graph.row_begin.begin());
    auto next = graph.row_begin;
    graph.column.resize(entries.place.size());
    graph.weight.resize(entries.place.size());
    for (std::size_t i = 0; i < entries.place.size(); ++i) {
      const auto at = static_cast<std::size_t>(next[entries.place[i].row.value - first]++);
      graph.column[at] = entries.place[i].column;
      graph.weight[at] = entries.weight[i];
    }
  });
  return graph;
}

}  // namespace cohort
