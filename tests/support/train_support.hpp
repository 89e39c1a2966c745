// Small data sets to train on, known whole on every rank, and training written down densely in float64. For the tests
// of train/.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "graph/block_graph.hpp"
#include "support/sharded_graphs.hpp"
#include "train/positives.hpp"
#include "train/sampler.hpp"
#include "train/trainer.hpp"

namespace cohort::testing_support {

/// Interactions by (user, item) and friendships by (user, user), each once.
struct SmallData {
  std::string name;
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> interactions;
  std::set<std::pair<std::int64_t, std::int64_t>> friends;

  Dataset block(const Communicator& comm) const {
    Dataset data;
    data.users.distribution = Distribution::even(users, comm.size());
    data.items.distribution = Distribution::even(items, comm.size());
    std::set<std::pair<std::int64_t, std::int64_t>> both;
    for (const auto& [a, b] : friends) {
      both.insert({a, b});
      both.insert({b, a});
    }
    const auto fill = [&](const auto& pairs, PairTable& table) {
      const auto& blocks = data.users.distribution;
      for (auto user = blocks.begin(comm.rank()); user < blocks.end(comm.rank()); ++user) {
        for (auto pair = pairs.lower_bound({user, 0}); pair != pairs.end() && pair->first == user; ++pair) {
          table.other.push_back(pair->second);
          table.weight.push_back(1.0F);
        }
        table.row_begin.push_back(std::ssize(table.other));
      }
    };
    if (items > 0) fill(interactions, data.interactions);
    if (!friends.empty()) fill(both, data.social);
    return data;
  }
  SmallGraph graph() const {
    SmallGraph small{name, users, users + items, {}};
    for (const auto& [user, item] : interactions) small.edge(user, users + item);
    for (const auto& [a, b] : friends) small.edge(a, b);
    return small;
  }
  /// The NodeIds that a user is trained on.
  std::set<std::int64_t> positives(std::int64_t user) const {
    std::set<std::int64_t> result;
    for (const auto& [u, item] : interactions) {
      if (u == user) result.insert(users + item);
    }
    for (const auto& [a, b] : friends) {
      if (items == 0 && (a == user || b == user)) result.insert(a == user ? b : a);
    }
    return result;
  }
};

/// Users with few to many items. User 3 has none and no friend; user 4 has every item, so that nothing can be learned
/// of it by pairs; item 1 is no one else's.
inline SmallData shop(std::int64_t users, std::int64_t items, std::int64_t interactions, bool with_friends) {
  SmallData data{"shop", users, items, {}, {}};
  std::mt19937 random(11);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  for (std::int64_t i = 0; i < interactions; ++i) {
    const auto user = below(users);
    const auto item = below(1 + below(items));
    if (user != 3 && item != 1) data.interactions.insert({user, item});
  }
  for (std::int64_t item = 0; item < items; ++item) data.interactions.insert({4, item});
  for (std::int64_t user = 5; with_friends && user + 7 < users; user += 2) data.friends.insert({user, user + 7});
  return data;
}

inline SmallData friends_only(std::int64_t users, std::int64_t edges) {
  SmallData data{"friends", users, 0, {}, {}};
  std::mt19937 random(12);
  while (std::ssize(data.friends) < edges) {
    const auto a = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(users));
    const auto b = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(users));
    if (a < b && a != 3 && b != 3) data.friends.insert({a, b});
  }
  return data;
}

struct TrainingSet {
  ShardedGraph sharded;
  Positives positives;
};

inline TrainingSet training_set(const Communicator& comm, const SmallData& data, const Distribution& cuts) {
  const auto dataset = data.block(comm);
  TrainingSet set{shard(comm, bipartite_graph(comm, dataset, GraphConfig{}), cuts), {}};
  set.positives = positives_of(comm, dataset, set.sharded);
  return set;
}

inline TrainOptions options(std::int64_t layers, std::int64_t dim, std::int64_t epochs, SamplerKind sampler) {
  TrainOptions result;
  result.model.layers = layers;
  result.train.loss = LossKind::bpr;
  result.model.dim = dim;
  result.train.epochs = epochs;
  result.train.sampler = sampler;
  result.train.batch = 50;
  result.train.learning_rate = 0.01;
  result.train.decay = 0.02;
  result.train.seed = 5;
  return result;
}

/// What a view of training shows, by NodeId, the same on every rank.
struct Snapshot {
  TrainProgress progress;
  bool ended = false;
  Whole embedding;
  std::map<std::string, Whole> rows;
  std::map<std::string, double> numbers;
};

inline Snapshot snapshot(const Communicator& comm, const ShardGraph& graph, const TrainView& view) {
  Snapshot result{view.progress, view.ended, gather(comm, graph, view.embedding), {}, view.state.saved_numbers()};
  for (const auto& [name, rows] : view.state.rows) result.rows[name] = gather(comm, graph, rows);
  return result;
}

/// What train() came to.
struct Trained : Snapshot {
  TrainResult counts;

  const Whole& parameters() const { return rows.at(layer_zero_rows); }
};

inline Trained run(const Communicator& comm, const TrainingSet& set, TrainOptions how,
                   std::optional<TrainStart> start = std::nullopt) {
  Trained trained;
  const auto before = how.on_state;
  how.on_state = [&](const TrainView& view) {
    if (before) before(view);
    if (view.ended) static_cast<Snapshot&>(trained) = snapshot(comm, set.sharded.graph, view);
  };
  trained.counts = train(comm, set.sharded.graph, set.sharded.directory, set.positives, how, std::move(start));
  return trained;
}

/// A triple by NodeIds.
struct NodeTriple {
  std::int64_t number;
  std::int64_t user;
  std::int64_t positive;
  std::int64_t negative;
  // NOLINTNEXTLINE(modernize-use-nullptr): of the operator itself.
  friend auto operator<=>(const NodeTriple&, const NodeTriple&) = default;
};

/// All triples of an epoch, by number, on every rank.
inline std::vector<NodeTriple> triples_of_epoch(const Communicator& comm, const TrainingSet& set,
                                                const TrainConfig& config, std::int64_t epoch) {
  const auto& graph = set.sharded.graph;
  const auto node_of = comm.all_gather(std::span<const NodeId>(graph.node).first(graph.owned())).data;
  TripleSampler sampler(comm, graph, set.sharded.directory, set.positives, config);
  sampler.begin_epoch(epoch);
  std::vector<NodeTriple> mine;
  // Two steps at a time: a draw must not depend on how many steps are drawn together.
  for (std::int64_t first = 0; first < sampler.steps(); first += 2) {
    const auto drawn = sampler.draw(first, std::min(first + 2, sampler.steps()));
    for (std::int64_t s = 0; s < drawn.steps(); ++s) {
      for (const auto& triple : drawn.of(s)) {
        if (triple.number / sampler.batch() != first + s) throw InternalError("a triple in another's step");
        mine.push_back({triple.number, graph.node[triple.user.value].value, node_of[triple.positive.value].value,
                        node_of[triple.negative.value].value});
      }
    }
    if (!std::ranges::is_sorted(mine)) throw InternalError("triples out of order");
  }
  auto all = comm.all_gather(std::span<const NodeTriple>(mine)).data;
  std::ranges::sort(all);
  return all;
}

/// The loss of a step (LightGCN's eq. 15 as its authors compute it), from layer 0.
inline double dense_loss(const SmallGraph& graph, const Dense& embedding, std::int64_t layers, double decay,
                         std::span<const NodeTriple> triples) {
  const auto propagated = mean_of_layers(graph, embedding, layers);
  const auto dot = [](const Dense& m, std::int64_t a, std::int64_t b) {
    double sum = 0;
    for (std::int64_t c = 0; c < m.columns; ++c) sum += m.at(a, c) * m.at(b, c);
    return sum;
  };
  double loss = 0;
  for (const auto& [number, user, positive, negative] : triples) {
    loss += std::log(1.0 + std::exp(dot(propagated, user, negative) - dot(propagated, user, positive)));
    for (const auto node : {user, positive, negative}) loss += decay / 2 * dot(embedding, node, node);
  }
  return loss / static_cast<double>(triples.size());
}

/// Its gradient by layer 0.
inline Dense dense_gradient(const SmallGraph& graph, const Dense& embedding, std::int64_t layers, double decay,
                            std::span<const NodeTriple> triples) {
  const auto propagated = mean_of_layers(graph, embedding, layers);
  Dense by_propagated(embedding.rows, embedding.columns);
  Dense direct(embedding.rows, embedding.columns);
  const auto share = 1.0 / static_cast<double>(triples.size());
  for (const auto& [number, user, positive, negative] : triples) {
    double difference = 0;
    for (std::int64_t c = 0; c < embedding.columns; ++c) {
      difference += propagated.at(user, c) * (propagated.at(negative, c) - propagated.at(positive, c));
    }
    const double slope = share / (1.0 + std::exp(-difference));
    for (std::int64_t c = 0; c < embedding.columns; ++c) {
      by_propagated.at(user, c) += slope * (propagated.at(negative, c) - propagated.at(positive, c));
      by_propagated.at(positive, c) -= slope * propagated.at(user, c);
      by_propagated.at(negative, c) += slope * propagated.at(user, c);
      for (const auto node : {user, positive, negative}) direct.at(node, c) += share * decay * embedding.at(node, c);
    }
  }
  auto gradient = mean_of_layers(graph, by_propagated, layers);
  for (std::size_t i = 0; i < gradient.values.size(); ++i) gradient.values[i] += direct.values[i];
  return gradient;
}

}  // namespace cohort::testing_support
