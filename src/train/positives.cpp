#include "train/positives.hpp"

#include <algorithm>
#include <numeric>

#include "core/ragged.hpp"

namespace cohort {

namespace {

struct UserHeader {
  Position position;
  std::int64_t positives;
  std::int64_t first_number;
  std::int64_t user_number;
};

// Headers of this rank's block of users, with numbers that go on from block to block. Fills in the totals.
std::vector<UserHeader> number_users(const Communicator& comm, const PairTable& table,
                                     std::span<const Position> position, bool users_are_candidates, Positives& result) {
  std::vector<UserHeader> header(position.size());
  std::int64_t totals[2] = {0, 0};
  for (std::size_t u = 0; u < header.size(); ++u) {
    const auto count = table.rows() == 0 ? 0 : places_of(table.row_begin, u).size();
    header[u] = {position[u], count, totals[0], totals[1]};
    const bool sampled = count > 0 && count + (users_are_candidates ? 1 : 0) < result.candidates;
    totals[0] += sampled ? count : 0;
    totals[1] += sampled ? 1 : 0;
  }
  std::int64_t before[2] = {totals[0], totals[1]};
  comm.exclusive_sum_in_place(before);
  for (auto& each : header) {
    each.first_number += before[0];
    each.user_number += before[1];
  }
  comm.sum_in_place(std::span<std::int64_t>(totals));
  result.total = totals[0];
  result.sampled_users = totals[1];
  return header;
}

}  // namespace

NodeId Positives::negative(std::int64_t row, NodeId user, std::int64_t rank) const {
  const auto positives = of(row);
  // Among the candidates from the k-th positive on, `before` counts those before it that are no positives.
  const auto non_positives_before = [&](std::int64_t k) { return positives[k].value - first_candidate.value - k; };
  if (is_candidate(user)) {
    const auto smaller = std::ranges::lower_bound(positives, user) - positives.begin();
    if (rank >= user.value - first_candidate.value - smaller) ++rank;
  }
  std::int64_t low = 0;
  std::int64_t high = std::ssize(positives);
  while (low < high) {
    const auto middle = (low + high) / 2;
    if (non_positives_before(middle) <= rank) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NodeId{first_candidate.value + rank + low};
}

Positives positives_of(const Communicator& comm, const Dataset& dataset, const ShardedGraph& sharded) {
  const auto& graph = sharded.graph;
  const bool social = !dataset.has_items();
  const auto& table = social ? dataset.social : dataset.interactions;
  const auto& users = dataset.users.distribution;
  const std::int64_t count = users.count(comm.rank());
  COHORT_CHECK(table.rows() == 0 || table.rows() == count);
  Positives result;
  result.first_candidate = NodeId{social ? 0 : dataset.users.total()};
  result.candidates = social ? dataset.users.total() : dataset.items.total();

  std::vector<NodeId> user;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < count; ++u) user.emplace_back(users.begin(comm.rank()) + u);
  });
  const auto position = sharded.directory.lookup(comm, user);
  const auto header = number_users(comm, table, position, social, result);

  Bucketed<UserHeader> outgoing;
  std::vector<NodeId> node;
  std::vector<std::int64_t> node_begin;
  comm.attempt([&] {
    outgoing = bucket_by(std::span<const UserHeader>(header), comm.size(),
                         [&](const UserHeader& each) { return graph.positions.owner(each.position.value); });
    node.reserve(table.other.size());
    std::size_t rank = 0;
    for (std::size_t i = 0; i <= outgoing.data.size(); ++i) {
      for (; rank < outgoing.begin.size() && static_cast<std::size_t>(outgoing.begin[rank]) == i; ++rank) {
        node_begin.push_back(std::ssize(node));
      }
      if (i == outgoing.data.size() || outgoing.data[i].positives == 0) continue;
      const auto u = static_cast<std::size_t>(outgoing.source[i]);
      for (const auto k : places_of(table.row_begin, u)) {
        node.emplace_back(result.first_candidate.value + table.other[k]);
      }
    }
  });
  const auto arrived =
      comm.exchange(std::span<const UserHeader>(outgoing.data), std::span<const std::int64_t>(outgoing.begin)).data;
  const auto nodes = comm.exchange(std::span<const NodeId>(node), std::span<const std::int64_t>(node_begin)).data;

  comm.attempt([&] {
    const auto owned = static_cast<std::size_t>(graph.owned());
    result.row_begin.assign(owned + 1, 0);
    result.first_number.assign(owned, 0);
    result.user_number.assign(owned, 0);
    const std::int64_t first = graph.positions.begin(comm.rank());
    for (const auto& each : arrived) {
      const auto row = static_cast<std::size_t>(each.position.value - first);
      result.row_begin[row + 1] = each.positives;
      result.first_number[row] = each.first_number;
      result.user_number[row] = each.user_number;
    }
    std::partial_sum(result.row_begin.begin(), result.row_begin.end(), result.row_begin.begin());
    result.node.resize(nodes.size());
    auto from = nodes.begin();
    for (const auto& each : arrived) {
      const auto row = static_cast<std::size_t>(each.position.value - first);
      std::copy_n(from, each.positives, result.node.begin() + result.row_begin[row]);
      from += each.positives;
    }
  });
  return result;
}

}  // namespace cohort
