#include "evaluate/comparison.hpp"

#include <map>
#include <utility>

#include "comm/index_plan.hpp"
#include "ingest/ids/dictionary.hpp"

namespace cohort {

namespace {

// How many of `segment` are not in both. Collective.
std::vector<std::int64_t> count_alone(const Communicator& comm, const UserSegments& one,
                                      std::span<const std::int32_t> other) {
  std::vector<std::int64_t> counts(one.size.size(), 0);
  for (std::size_t i = 0; i < one.segment.size(); ++i) {
    if (other[i] < 0) ++counts[one.segment[i]];
  }
  comm.sum_in_place(std::span<std::int64_t>(counts));
  return counts;
}

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

}  // namespace

std::vector<std::int32_t> segments_by_id(const Communicator& comm, const UserSegments& result, const IdTable& users) {
  const auto number = find_ids(comm, result.users, users);
  // Both tables are in the order of ids, so the numbers of known users ascend.
  std::vector<std::int64_t> known;
  for (const auto n : number) {
    if (n >= 0) known.push_back(n);
  }
  const auto found = IndexPlan(comm, result.users.distribution, known).fetch<std::int32_t>(result.segment);
  std::vector<std::int32_t> segment(number.size(), -1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number[i] >= 0) segment[i] = found[at++];
  }
  return segment;
}

std::vector<SegmentFlow> count_flows(const Communicator& comm, std::span<const std::int32_t> from,
                                     std::span<const std::int32_t> to) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> table;
  std::vector<SegmentFlow> flows;
  comm.attempt([&] {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] >= 0 && to[i] >= 0) ++table[{from[i], to[i]}];
    }
    for (const auto& [pair, users] : table) flows.push_back({pair.first, pair.second, users});
  });
  const auto all = comm.all_gather(std::span<const SegmentFlow>(flows)).data;
  comm.attempt([&] {
    table.clear();
    flows.clear();
    for (const auto& flow : all) table[{flow.from, flow.to}] += flow.users;
    for (const auto& [pair, users] : table) flows.push_back({pair.first, pair.second, users});
  });
  return flows;
}

Comparison compare_segments(const Communicator& comm, const UserSegments& first, const UserSegments& second) {
  const auto in_second = segments_by_id(comm, second, first.users);
  const auto in_first = segments_by_id(comm, first, second.users);
  Comparison result;
  result.agreement = agreement(comm, first.segment, in_second);
  result.gone_from = count_alone(comm, first, in_second);
  result.added_to = count_alone(comm, second, in_first);
  result.gone = sum(result.gone_from);
  result.added = sum(result.added_to);
  result.flows = count_flows(comm, first.segment, in_second);
  comm.attempt([&] {
    result.match = best_matching(static_cast<std::int32_t>(first.size.size()), result.flows);
    for (const auto& flow : result.flows) {
      if (result.match[flow.from] == flow.to) result.stayed += flow.users;
    }
  });
  return result;
}

}  // namespace cohort
