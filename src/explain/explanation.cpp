#include "explain/explanation.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "explain/linear_response.hpp"
#include "explain/runner_up.hpp"
#include "graph/node_route.hpp"
#include "items/segment_top.hpp"

namespace cohort {

namespace {

// What the rank that holds a user's embedding knows of it, for all ranks.
struct Placed {
  std::int32_t segment = 0;
  RunnerUpOf runner_up;
};

Placed place_of(const Communicator& comm, const ExplainInput& input, std::int64_t user) {
  const auto& segments = input.result->segments;
  const auto& blocks = input.result->users.distribution;
  const int holder = blocks.owner(user);
  Placed placed;
  if (comm.rank() == holder) {
    const auto row = user - blocks.begin(holder);
    placed.segment = segments.segment[row];
    placed.runner_up =
        runner_up_of(segments.users.view().at(row), segments.centroid.view(), placed.segment, input.spherical);
  }
  comm.broadcast(std::span<Placed>(&placed, 1), holder);
  return placed;
}

// Contributions of what the user does not have yet: of every item that others have, the best for the runner-up.
std::vector<Contribution> best_additions(const Communicator& comm, const ExplainInput& input,
                                         const std::vector<Contribution>& known, double user_degree,
                                         std::span<const double> response, double scale) {
  const auto& graph = input.sharded->graph;
  std::vector<NodeId> has;
  for (const auto& contribution : known) has.push_back(contribution.node);
  std::ranges::sort(has);
  SegmentTop<RankedId> top(1, added_items);
  const double w = input.new_weight;
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    const auto node = graph.node[row];
    const double degree = input.degree[row];
    if (node.value < graph.users || degree <= 0 || std::ranges::binary_search(has, node)) continue;
    const double value = scale * response[row] * w / std::sqrt((user_degree + w) * (degree + w));
    if (value < 0) top.offer(0, {value, node.value});
  }
  std::vector<Contribution> additions;
  for (const auto& entry : top.best(comm).entries) additions.push_back({NodeId{entry.id}, entry.value});
  return additions;
}

// How many of `steps`, in their order, bring `difference` to 0 or below when each takes away its size; -1: all do not.
std::int64_t steps_needed(double difference, std::span<const Contribution> steps) {
  if (difference <= 0) return 0;
  for (std::size_t n = 0; n < steps.size(); ++n) {
    difference -= std::fabs(steps[n].value);
    if (difference <= 0) return static_cast<std::int64_t>(n) + 1;
  }
  return -1;
}

}  // namespace

UserExplanation explain_user(const Communicator& comm, const ExplainInput& input, std::int64_t user) {
  const auto& graph = input.sharded->graph;
  const auto& segments = input.result->segments;
  COHORT_CHECK(user >= 0 && user < input.result->users.total() && input.parameters.rows == graph.owned());
  if (std::ssize(segments.size) < 2) throw InputError("there is one segment alone, so no user could be in another");
  const auto placed = place_of(comm, input, user);
  UserExplanation result;
  result.user = NodeId{user};
  result.segment = placed.segment;
  result.runner_up = placed.runner_up.segment;
  result.distance = placed.runner_up.own_distance;
  result.runner_up_distance = placed.runner_up.distance;
  result.difference = result.runner_up_distance - result.distance;
  const auto centroids = segments.centroid.view();
  result.constant = constant_between(centroids, result.segment, result.runner_up, input.spherical);

  // Only the direction between the two centroids counts, so one number a node is propagated.
  const auto direction = direction_between(centroids, result.segment, result.runner_up, input.spherical);
  const double scale = (input.spherical ? 1 / placed.runner_up.length : 1.0) / static_cast<double>(input.layers + 1);
  std::vector<double> base(graph.owned());
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    base[row] = inner_product(input.parameters.at(row), direction);
  }
  const auto response = linear_response(comm, graph, base, 1, input.layers);

  const std::vector<NodeId> wanted{result.user};
  const auto position = input.sharded->directory.lookup(comm, wanted).front();
  const int owner = graph.positions.owner(position.value);
  double degree = 0;
  if (comm.rank() == owner) {
    const auto row = static_cast<std::size_t>(position.value - graph.positions.begin(owner));
    degree = input.degree[row];
    if (input.own_rows) result.own = scale * base[row];
    const auto& adjacency = graph.adjacency;
    for (const auto k : places_of(adjacency.row_begin, row)) {
      const auto column = static_cast<std::size_t>(adjacency.column[k].value);
      const double value = scale * static_cast<double>(adjacency.value[k]) * response[column];
      result.contributions.push_back({graph.node[column], input.layers > 0 ? value : 0.0});
    }
    std::ranges::sort(result.contributions, [](const Contribution& a, const Contribution& b) {
      return a.value != b.value ? a.value > b.value : a.node < b.node;
    });
  }
  comm.broadcast(std::span<double>(&degree, 1), owner);
  comm.broadcast(std::span<double>(&result.own, 1), owner);
  comm.broadcast(result.contributions, owner);
  double sum = result.own + result.constant;
  for (const auto& contribution : result.contributions) sum += contribution.value;
  result.rounding = result.difference - sum;

  const auto negative = std::ranges::find_if(result.contributions, [](const Contribution& c) { return c.value <= 0; });
  result.removals = steps_needed(result.difference, std::span(result.contributions.begin(), negative));
  result.additions = best_additions(comm, input, result.contributions, degree, response, scale);
  result.additions_needed = steps_needed(result.difference, result.additions);
  return result;
}

}  // namespace cohort
