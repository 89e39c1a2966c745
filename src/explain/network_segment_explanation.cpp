#include "explain/network_segment_explanation.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "explain/runner_up.hpp"
#include "graph/ghosts.hpp"
#include "graph/node_route.hpp"
#include "items/segment_top.hpp"

namespace cohort {

namespace {

// How strongly all rows of the segment's users are mixed with a node's.
struct RankedNode {
  double mixed = 0;
  std::int64_t node = 0;
  std::int64_t users = 0;
  friend bool operator<(const RankedNode& a, const RankedNode& b) {
    return a.mixed != b.mixed ? a.mixed > b.mixed : a.node < b.node;
  }
};

// The segment's users, and what embeddings say of them.
class Members {
 public:
  Members(const Communicator& comm, const NetworkExplainInput& input, std::int32_t segment)
      : comm_(comm), input_(input), graph_(input.sharded->graph), segment_(segment) {
    const auto& of_block = input.result->segments.segment;
    const auto& blocks = input.result->users.distribution;
    std::vector<std::int32_t> in_block;
    std::vector<NodeId> mine;
    comm.attempt([&] {
      for (std::size_t u = 0; u < of_block.size(); ++u) {
        in_block.push_back(of_block[u] == segment ? 1 : 0);
        if (of_block[u] == segment) mine.emplace_back(blocks.begin(comm.rank()) + static_cast<std::int64_t>(u));
      }
    });
    nodes = comm.all_gather(std::span<const NodeId>(mine)).data;
    is_member_ = to_shards(comm, graph_, std::span<const std::int32_t>(in_block), blocks);
    comm.attempt([&] {
      is_member_.resize(graph_.local_rows());
      runner_up_.assign(graph_.owned(), 0);
    });
    fill_ghosts(comm, graph_, 1, std::span<std::int32_t>(is_member_));
  }

  std::vector<NodeId> nodes;  // ascending, of all ranks

  // embedding: of the whole graph. Keeps whom each is next to. Local.
  void find_runner_ups(ConstMatrixView embedding) {
    for (std::int64_t row = 0; row < graph_.owned(); ++row) {
      if (is_member_[row] == 0) continue;
      runner_up_[row] =
          runner_up_of(embedding.at(row), input_.result->segments.centroid.view(), segment_, input_.spherical).segment;
    }
  }

  // Collective.
  std::vector<RunnerUp> runner_ups() const {
    std::vector<std::int64_t> users(input_.result->segments.size.size(), 0);
    for (std::int64_t row = 0; row < graph_.owned(); ++row) users[runner_up_[row]] += is_member_[row];
    comm_.sum_in_place(std::span<std::int64_t>(users));
    std::vector<RunnerUp> result;
    for (std::size_t s = 0; s < users.size(); ++s) {
      if (users[s] > 0) result.push_back({static_cast<std::int32_t>(s), users[s]});
    }
    std::ranges::stable_sort(result, [](const RunnerUp& a, const RunnerUp& b) { return a.users > b.users; });
    return result;
  }

  struct Seen {
    double difference = 0;  // mean
    std::int64_t elsewhere = 0;
  };
  // What an embedding says of them, against the runner-ups of the whole graph. Collective.
  Seen seen(ConstMatrixView embedding) const {
    const auto shards = graph_.layout.shards_of_rank.count(comm_.rank());
    const auto centroids = input_.result->segments.centroid.view();
    std::vector<double> difference;
    Seen result;
    comm_.attempt([&] { difference.assign(shards, 0.0); });
    for (std::int32_t k = 0; k < shards; ++k) {
      const auto end = graph_.shard_first_row(comm_.rank(), k + 1);
      for (auto row = graph_.shard_first_row(comm_.rank(), k); row < end; ++row) {
        if (is_member_[row] == 0) continue;
        const auto found = runner_up_of(embedding.at(row), centroids, segment_, input_.spherical);
        const auto other = runner_up_[row];
        difference[k] +=
            inner_product(embedding.at(row), direction_between(centroids, segment_, other, input_.spherical)) /
                (input_.spherical ? found.length : 1.0) +
            constant_between(centroids, segment_, other, input_.spherical);
        const bool stays =
            found.own_distance < found.distance || (found.own_distance == found.distance && segment_ < found.segment);
        result.elsewhere += stays ? 0 : 1;
      }
    }
    result.difference =
        shard_sum(comm_, graph_.layout, std::span<const double>(difference)) / static_cast<double>(nodes.size());
    result.elsewhere = comm_.sum(result.elsewhere);
    return result;
  }

  // The strongest first, and how many there are. Collective.
  std::vector<RankedNode> neighbours(std::int64_t& count) const {
    const auto& adjacency = graph_.adjacency;
    SegmentTop<RankedNode> top(1, listed_items);
    count = 0;
    for (std::int64_t row = 0; row < graph_.owned(); ++row) {
      RankedNode node{0, graph_.node[row].value, 0};
      for (const auto e : places_of(adjacency.row_begin, row)) {
        if (is_member_[adjacency.column[e].value] == 0) continue;
        node.mixed += static_cast<double>(adjacency.value[e]);
        ++node.users;
      }
      if (node.users == 0) continue;
      ++count;
      top.offer(0, node);
    }
    count = comm_.sum(count);
    return top.best(comm_).entries;
  }

 private:
  const Communicator& comm_;
  const NetworkExplainInput& input_;
  const ShardGraph& graph_;
  std::int32_t segment_;
  std::vector<std::int32_t> is_member_;  // by local row
  std::vector<std::int32_t> runner_up_;  // by owned row
};

}  // namespace

NetworkSegmentExplanation explain_segment_by_network(const Communicator& comm, const NetworkExplainInput& input,
                                                     std::int32_t segment) {
  const auto& segments = input.result->segments;
  COHORT_CHECK(segment >= 0 && std::cmp_less(segment, segments.size.size()));
  if (segments.size.size() < 2) throw InputError("there is one segment alone, so no user could be in another");
  Members members(comm, input, segment);
  NetworkSegmentExplanation result;
  result.segment = segment;
  result.users = std::ssize(members.nodes);
  if (result.users == 0) throw InputError("segment " + std::to_string(segment) + " has no users");
  const auto whole = input.network->forward(*input.base);
  members.find_runner_ups(whole);
  const auto seen = members.seen(whole);
  result.difference = seen.difference;
  result.runner_ups = members.runner_ups();
  for (const auto& each : members.neighbours(result.neighbours)) {
    comm.stop_if_interrupted();
    const auto left = members.seen(input.network->forward_without(*input.base, NodeId{each.node}, members.nodes));
    result.contributions.push_back(
        {NodeId{each.node}, result.difference - left.difference, each.users, left.elsewhere - seen.elsewhere});
  }
  std::ranges::sort(result.contributions, [](const NodeLeftOut& a, const NodeLeftOut& b) {
    return a.value != b.value ? a.value > b.value : a.node < b.node;
  });
  return result;
}

}  // namespace cohort
