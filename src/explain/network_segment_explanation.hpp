// What holds a segment together where a network with weights made the embedding: a node's edges to the segment's users
// are left out of the graph, degrees and all, and the whole network is run again on what is left, as in
// explain/network_explanation.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/ids.hpp"
#include "explain/explanation.hpp"
#include "explain/network_explanation.hpp"

namespace cohort {

struct NodeLeftOut {
  NodeId node;               ///< an item or a user
  double value = 0;          ///< the mean difference less that without its edges: above 0 it speaks for the segment
  std::int64_t users = 0;    ///< of the segment, that it is joined to
  std::int64_t leaving = 0;  ///< how many more of the segment's users are nearest to another centroid without them
};

/// Means over the segment's users, each against its own runner-up.
struct NetworkSegmentExplanation {
  std::int32_t segment = 0;
  std::int64_t users = 0;
  std::vector<RunnerUp> runner_ups;  ///< most users first
  double difference = 0;
  std::int64_t neighbours = 0;  ///< different nodes that are joined to a user of the segment
  /// Of the listed_items of them that the rows of the segment's users are mixed with most strongly together (of equal
  /// ones the smaller nodes); largest first, ties to the smaller node.
  std::vector<NodeLeftOut> contributions;
};

/// segment: its row. Needs two segments at least, and a segment with users; throws InputError otherwise. The same on
/// all ranks. Costs a pass over the graph for each contribution. Collective.
NetworkSegmentExplanation explain_segment_by_network(const Communicator& comm, const NetworkExplainInput& input,
                                                     std::int32_t segment);

}  // namespace cohort
