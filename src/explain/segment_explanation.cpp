#include <algorithm>
#include <string>

#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "explain/explanation.hpp"
#include "explain/linear_response.hpp"
#include "explain/runner_up.hpp"
#include "graph/node_route.hpp"
#include "items/segment_top.hpp"

namespace cohort {

namespace {

// Runner-ups that are propagated together.
constexpr std::size_t columns_at_once = 8;

// What is said of a user of the segment; of the others runner_up is 0.
struct Member {
  std::int32_t runner_up = 0;  // its number + 1
  double weight = 0;           // what its products with the direction are multiplied with
  double difference = 0;
};

std::vector<Member> members_in_block(const ExplainInput& input, std::int32_t segment) {
  const auto& segments = input.result->segments;
  std::vector<Member> members(segments.segment.size());
  for (std::size_t user = 0; user < members.size(); ++user) {
    if (segments.segment[user] != segment) continue;
    const auto found = runner_up_of(segments.users.view().at(static_cast<std::int64_t>(user)), segments.centroid.view(),
                                    segment, input.spherical);
    members[user] = {found.segment + 1, input.spherical ? 1 / found.length : 1.0, found.distance - found.own_distance};
  }
  return members;
}

struct RankedItem {
  double value = 0;
  std::int64_t node = 0;
  std::int64_t users = 0;
  friend bool operator<(const RankedItem& a, const RankedItem& b) {
    return a.value != b.value ? a.value > b.value : a.node < b.node;
  }
};

// Sums of one segment's explanation, as they are reduced over the shards.
enum Part : std::size_t { part_own, part_items, part_friends, part_difference, parts };

}  // namespace

SegmentExplanation explain_segment(const Communicator& comm, const ExplainInput& input, std::int32_t segment) {
  const auto& graph = input.sharded->graph;
  const auto& segments = input.result->segments;
  const auto count = std::ssize(segments.size);
  COHORT_CHECK(segment >= 0 && segment < count && input.parameters.rows == graph.owned());
  if (count < 2) throw InputError("there is one segment alone, so no user could be in another");
  SegmentExplanation result;
  result.segment = segment;
  result.users = segments.size[segment];
  if (result.users == 0) throw InputError("segment " + std::to_string(segment) + " has no users");

  std::vector<Member> member;
  {
    const auto in_block = members_in_block(input, segment);
    member = to_shards(comm, graph, std::span<const Member>(in_block), input.result->users.distribution);
    comm.attempt([&] { member.resize(graph.local_rows()); });
    fill_ghosts(comm, graph, 1, std::span<Member>(member));
  }
  std::vector<std::int64_t> users_of(count, 0);
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    if (member[row].runner_up > 0) ++users_of[member[row].runner_up - 1];
  }
  comm.sum_in_place(std::span<std::int64_t>(users_of));
  const auto centroids = segments.centroid.view();
  const double users = static_cast<double>(result.users);
  for (std::int32_t s = 0; s < count; ++s) {
    const auto number = users_of[s];
    if (number == 0) continue;
    result.runner_ups.push_back({s, number});
    result.constant += static_cast<double>(number) * constant_between(centroids, segment, s, input.spherical) / users;
  }

  const double scale = 1 / static_cast<double>(input.layers + 1);
  const auto& adjacency = graph.adjacency;
  std::vector<double> own;    // of owned rows that are users of the segment
  std::vector<double> value;  // of owned rows: what they give to the segment's users
  comm.attempt([&] {
    own.assign(graph.owned(), 0.0);
    value.assign(graph.owned(), 0.0);
  });
  for (std::size_t first = 0; first < result.runner_ups.size(); first += columns_at_once) {
    const auto width = std::min(columns_at_once, result.runner_ups.size() - first);
    std::vector<std::int32_t> column_of(count + 1, -1);  // by runner_up as members have it
    std::vector<std::vector<double>> direction;
    for (std::size_t c = 0; c < width; ++c) {
      const auto other = result.runner_ups[first + c].segment;
      column_of[other + 1] = static_cast<std::int32_t>(c);
      direction.push_back(direction_between(centroids, segment, other, input.spherical));
    }
    std::vector<double> base;
    comm.attempt([&] { base.resize(graph.owned() * width); });
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      for (std::size_t c = 0; c < width; ++c) {
        base[row * width + c] = inner_product(input.parameters.at(row), direction[c]);
      }
    }
    const auto response = linear_response(comm, graph, base, static_cast<std::int64_t>(width), input.layers);
#pragma omp parallel for schedule(dynamic, 512)
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto r = static_cast<std::size_t>(row);
      const auto own_column = column_of[member[r].runner_up];
      if (own_column >= 0 && input.own_rows) own[r] = scale * member[r].weight * base[r * width + own_column];
      for (const auto k : places_of(adjacency.row_begin, r)) {
        const auto& user = member[adjacency.column[k].value];
        const auto column = column_of[user.runner_up];
        if (column < 0) continue;
        value[r] += scale * user.weight * static_cast<double>(adjacency.value[k]) * response[r * width + column];
      }
    }
  }

  const auto shards = graph.layout.last_shard(comm.rank()) - graph.layout.first_shard(comm.rank());
  std::vector<double> partial(shards * parts, 0.0);
  SegmentTop<RankedItem> top(1, listed_items);
  for (std::int32_t k = 0; k < shards; ++k) {
    double* sums = partial.data() + static_cast<std::size_t>(k) * parts;
    for (auto row = graph.shard_first_row(comm.rank(), k); row < graph.shard_first_row(comm.rank(), k + 1); ++row) {
      const auto r = static_cast<std::size_t>(row);
      const bool is_user = graph.node[r].value < graph.users;
      sums[part_own] += own[r];
      sums[part_difference] += member[r].difference;
      sums[is_user ? part_friends : part_items] += value[r];
      if (is_user || !(value[r] > 0)) continue;
      const auto begin = adjacency.column.begin();
      const auto having = std::count_if(begin + adjacency.row_begin[r], begin + adjacency.row_begin[r + 1],
                                        [&](LocalRow column) { return member[column.value].runner_up > 0; });
      top.offer(0, {value[r] / users, graph.node[r].value, having});
    }
  }
  const auto sums = shard_sum(comm, graph.layout, partial, static_cast<std::int64_t>(parts));
  result.own = sums[part_own] / users;
  result.items = sums[part_items] / users;
  result.friends = sums[part_friends] / users;
  result.difference = sums[part_difference] / users;
  result.rounding = result.difference - (result.own + result.constant + result.items + result.friends);
  for (const auto& item : top.best(comm).entries) result.top.push_back({NodeId{item.node}, item.value, item.users});
  std::ranges::stable_sort(result.runner_ups, [](const RunnerUp& a, const RunnerUp& b) { return a.users > b.users; });
  return result;
}

}  // namespace cohort
