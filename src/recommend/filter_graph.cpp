#include "recommend/filter_graph.hpp"

#include <utility>

#include "graph/node_route.hpp"
#include "model/graph_filter.hpp"

namespace cohort {

FilterGraph filter_graph(const Communicator& comm, const BlockGraph& blocks, ShardGraph sharded,
                         const GraphConfig& weighting) {
  auto degree = weighted_degrees(comm, blocks, sharded);
  return {std::move(sharded), std::move(degree), weighting};
}

double filter_cost(std::int64_t users, std::int64_t interactions) {
  const auto blocks = (users + GraphFilter::columns - 1) / GraphFilter::columns;
  return static_cast<double>(blocks * GraphFilter::columns) * static_cast<double>(2 * GraphFilter::products) *
         static_cast<double>(interactions);
}

}  // namespace cohort
