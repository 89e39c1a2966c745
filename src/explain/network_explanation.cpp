#include "explain/network_explanation.hpp"

#include <algorithm>
#include <span>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "explain/runner_up.hpp"

namespace cohort {

namespace {

// The rank that owns the user, and its row there.
struct Place {
  int owner = 0;
  std::int64_t row = 0;
};

struct Edge {
  float mixed;  // what the neighbour's row is multiplied with
  NodeId node;
};

// The strongest first. On the user's owner. Local.
std::vector<NodeId> neighbours_of(const ShardGraph& graph, std::int64_t row) {
  std::vector<Edge> edges;
  const auto& adjacency = graph.adjacency;
  for (const auto e : places_of(adjacency.row_begin, row)) {
    edges.push_back({adjacency.value[e], graph.node[adjacency.column[e].value]});
  }
  std::ranges::sort(
      edges, [](const Edge& a, const Edge& b) { return a.mixed != b.mixed ? a.mixed > b.mixed : a.node < b.node; });
  std::vector<NodeId> nodes;
  for (const auto& edge : edges) nodes.push_back(edge.node);
  return nodes;
}

// What an embedding of the user says, beside what the whole graph said.
class Measure {
 public:
  Measure(const Communicator& comm, const NetworkExplainInput& input, Place place, std::int32_t segment)
      : comm_(comm), input_(input), place_(place), segment_(segment) {}

  /// embedding: of this rank's owned rows. Collective.
  RunnerUpOf of(ConstMatrixView embedding) const {
    RunnerUpOf found;
    if (comm_.rank() == place_.owner) {
      found =
          runner_up_of(embedding.at(place_.row), input_.result->segments.centroid.view(), segment_, input_.spherical);
    }
    comm_.broadcast(std::span<RunnerUpOf>(&found, 1), place_.owner);
    return found;
  }

  struct Without {
    double difference = 0;  // against the runner-up of the whole graph
    std::int32_t segment = 0;
  };
  /// Collective.
  Without without(NodeId user, std::span<const NodeId> others, std::int32_t runner_up) const {
    const auto embedding = input_.network->forward_without(*input_.base, user, others);
    Without result;
    if (comm_.rank() == place_.owner) {
      const auto centroids = input_.result->segments.centroid.view();
      const auto row = embedding.at(place_.row);
      const auto found = runner_up_of(row, centroids, segment_, input_.spherical);
      const auto direction = direction_between(centroids, segment_, runner_up, input_.spherical);
      result.difference = inner_product(row, direction) / (input_.spherical ? found.length : 1.0) +
                          constant_between(centroids, segment_, runner_up, input_.spherical);
      const bool stays =
          found.own_distance < found.distance || (found.own_distance == found.distance && segment_ < found.segment);
      result.segment = stays ? segment_ : found.segment;
    }
    comm_.broadcast(std::span<Without>(&result, 1), place_.owner);
    return result;
  }

 private:
  const Communicator& comm_;
  const NetworkExplainInput& input_;
  Place place_;
  std::int32_t segment_;
};

std::int32_t segment_of(const Communicator& comm, const SegmentsFile& result, std::int64_t user) {
  const auto& blocks = result.users.distribution;
  const int holder = blocks.owner(user);
  std::int32_t segment = 0;
  if (comm.rank() == holder) segment = result.segments.segment[user - blocks.begin(holder)];
  comm.broadcast(std::span<std::int32_t>(&segment, 1), holder);
  return segment;
}

}  // namespace

NetworkExplanation explain_by_network(const Communicator& comm, const NetworkExplainInput& input, std::int64_t user) {
  const auto& graph = input.sharded->graph;
  COHORT_CHECK(user >= 0 && user < input.result->users.total());
  if (std::ssize(input.result->segments.size) < 2) {
    throw InputError("there is one segment alone, so no user could be in another");
  }
  NetworkExplanation result;
  result.user = NodeId{user};
  result.segment = segment_of(comm, *input.result, user);
  const std::vector<NodeId> wanted{result.user};
  const auto position = input.sharded->directory.lookup(comm, wanted).front();
  Place place;
  place.owner = graph.positions.owner(position.value);
  place.row = position.value - graph.positions.begin(place.owner);

  const Measure measure(comm, input, place, result.segment);
  const auto whole = measure.of(input.network->forward(*input.base));
  result.runner_up = whole.segment;
  result.distance = whole.own_distance;
  result.runner_up_distance = whole.distance;
  result.difference = whole.distance - whole.own_distance;

  std::vector<NodeId> neighbours;
  comm.attempt([&] {
    if (comm.rank() == place.owner) neighbours = neighbours_of(graph, place.row);
  });
  comm.broadcast(neighbours, place.owner);
  result.neighbours = std::ssize(neighbours);
  const auto recomputed = std::min(explained_neighbours, result.neighbours);
  for (std::int64_t i = 0; i < recomputed; ++i) {
    const auto node = neighbours[i];
    const auto left = measure.without(result.user, {&node, 1}, result.runner_up);
    result.contributions.push_back({node, result.difference - left.difference, left.segment});
  }
  std::ranges::sort(result.contributions, [](const LeftOut& a, const LeftOut& b) {
    return a.value != b.value ? a.value > b.value : a.node < b.node;
  });
  std::ranges::sort(neighbours);
  result.alone = measure.without(result.user, neighbours, result.runner_up).difference;
  return result;
}

}  // namespace cohort
