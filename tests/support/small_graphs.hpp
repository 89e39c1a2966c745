// Graphs small enough for dense references, known whole on every rank: what the tests of graph/ and partition/ hand to
// the distributed code block by block, and compare with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/block_graph.hpp"

namespace cohort::testing_support {

/// Both directions of every edge, ordered by (row, column).
struct SmallGraph {
  std::string name;
  std::int64_t users = 0;
  std::int64_t nodes = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, float> entries;

  void edge(std::int64_t a, std::int64_t b, float weight = 1.0F) {
    entries[{a, b}] = weight;
    entries[{b, a}] = weight;
  }
  std::vector<double> degrees() const {
    std::vector<double> degree(nodes, 0.0);
    for (const auto& [place, weight] : entries) degree[place.first] += weight;
    return degree;
  }
  /// D^-1/2 A D^-1/2.
  std::map<std::pair<std::int64_t, std::int64_t>, float> normalised() const {
    const auto degree = degrees();
    auto result = entries;
    for (auto& [place, value] : result) {
      value = static_cast<float>(static_cast<double>(value) / std::sqrt(degree[place.first] * degree[place.second]));
    }
    return result;
  }
  /// This rank's block, of even ones or of any.
  BlockGraph block(const Communicator& comm) const { return block(comm, Distribution::even(nodes, comm.size())); }
  BlockGraph block(const Communicator& comm, const Distribution& blocks) const {
    BlockGraph graph;
    graph.users = users;
    graph.distribution = blocks;
    for (auto node = graph.distribution.begin(comm.rank()); node < graph.distribution.end(comm.rank()); ++node) {
      for (auto entry = entries.lower_bound({node, 0}); entry != entries.end() && entry->first.first == node; ++entry) {
        graph.column.emplace_back(entry->first.second);
        graph.weight.push_back(entry->second);
      }
      graph.row_begin.push_back(std::ssize(graph.column));
    }
    return graph;
  }
};

inline SmallGraph path(std::int64_t nodes) {
  SmallGraph graph{"path", nodes, nodes, {}};
  for (std::int64_t i = 0; i + 1 < nodes; ++i) graph.edge(i, i + 1, static_cast<float>(i % 3 + 1));
  return graph;
}

inline SmallGraph circle(std::int64_t nodes) {
  auto graph = path(nodes);
  graph.name = "circle";
  graph.edge(nodes - 1, 0);
  return graph;
}

inline SmallGraph star(std::int64_t nodes) {
  SmallGraph graph{"star", 1, nodes, {}};
  for (std::int64_t i = 1; i < nodes; ++i) graph.edge(0, i, 0.1F * static_cast<float>(i));
  return graph;
}

inline SmallGraph isolated(std::int64_t nodes) {
  return {"isolated", nodes, nodes, {}};
}

/// Some users and items have no edge.
inline SmallGraph random_bipartite(std::int64_t users, std::int64_t items, std::int64_t edges, unsigned seed) {
  SmallGraph graph{"bipartite", users, users + items, {}};
  std::mt19937 random(seed);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  for (std::int64_t e = 0; e < edges; ++e) {
    graph.edge(below(users), users + below(items), 0.25F * static_cast<float>(1 + below(9)));
  }
  return graph;
}

/// Communities of equal size, node i in community i mod `communities`; `between` of the edges join any two nodes.
inline SmallGraph planted(std::int64_t nodes, std::int64_t communities, std::int64_t edges, double between,
                          unsigned seed) {
  SmallGraph graph{"planted", nodes, nodes, {}};
  std::mt19937 random(seed);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  for (std::int64_t e = 0; e < edges; ++e) {
    const auto a = below(nodes);
    const bool anywhere = static_cast<double>(below(1000)) < 1000 * between;
    const auto b = anywhere ? below(nodes) : below(nodes / communities) * communities + a % communities;
    if (a != b && b < nodes) graph.edge(a, b);
  }
  return graph;
}

}  // namespace cohort::testing_support
