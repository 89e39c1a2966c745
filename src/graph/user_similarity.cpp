#include "graph/user_similarity.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/ragged.hpp"
#include "graph/user_comparison.hpp"

namespace cohort {

namespace {

struct DirectedEdge {
  std::uint32_t from;  // of the receiver's block
  std::uint32_t to;
  float weight;
};

// Both directions of every edge, by the first user's owner. Collective.
PairTable both_directions(const Communicator& comm, const Distribution& users,
                          const std::vector<std::vector<SimilarUser>>& best) {
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  std::vector<DirectedEdge> outgoing;
  const auto first = users.begin(comm.rank());
  comm.attempt([&] {
    for (const auto& row : best) {
      for (const auto& each : row) ++begin[users.owner(each.user) + 1];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    outgoing.resize(begin.back());
    auto next = begin;
    for (std::size_t u = 0; u < best.size(); ++u) {
      for (const auto& each : best[u]) {
        const auto owner = users.owner(each.user);
        outgoing[next[owner]++] = {static_cast<std::uint32_t>(each.user - users.begin(owner)),
                                   static_cast<std::uint32_t>(first + static_cast<std::int64_t>(u)), each.weight};
      }
    }
  });
  auto came = comm.exchange(std::span<const DirectedEdge>(outgoing), std::span<const std::int64_t>(begin)).data;
  outgoing = {};
  PairTable table;
  comm.attempt([&] {
    std::vector<std::int64_t> row_begin(best.size() + 1, 0);
    for (const auto& edge : came) ++row_begin[edge.from + 1];
    std::partial_sum(row_begin.begin(), row_begin.end(), row_begin.begin());
    std::vector<std::pair<std::uint32_t, float>> back(came.size());
    auto next = row_begin;
    for (const auto& edge : came) back[next[edge.from]++] = {edge.to, edge.weight};
    came = {};
    // Pages that are not filled are never there, while a list that grows leaves all that it has been.
    table.other.reserve(back.size() + static_cast<std::size_t>(begin.back()));
    table.weight.reserve(table.other.capacity());
    std::vector<std::pair<std::uint32_t, float>> row;
    for (std::size_t u = 0; u < best.size(); ++u) {
      row.clear();
      for (const auto& each : best[u]) row.emplace_back(each.user, each.weight);
      row.insert(row.end(), back.begin() + row_begin[u], back.begin() + row_begin[u + 1]);
      std::ranges::sort(row);
      row.erase(std::unique(row.begin(), row.end()), row.end());
      for (const auto& [other, weight] : row) {
        table.other.push_back(other);
        table.weight.push_back(weight);
      }
      table.row_begin.push_back(table.size());
    }
  });
  return table;
}

}  // namespace

SimilarUsers similar_users(const Communicator& comm, const Dataset& dataset, const GraphConfig& options,
                           std::int64_t memory) {
  const auto& users = dataset.users.distribution;
  if (users.total() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("graph.kind = \"user\" takes no more than 2^32 - 1 users, and there are " +
                     std::to_string(users.total()));
  }
  SimilarUsers result;
  Behaviour behaviour;
  std::vector<std::int64_t> self;
  comm.attempt([&] {
    behaviour = behaviour_of(dataset, users.count(comm.rank()), options);
    self.resize(users.count(comm.rank()));
    std::iota(self.begin(), self.end(), users.begin(comm.rank()));
  });
  result.passed_over = pass_over(comm, dataset.items.distribution, options.max_item_users, behaviour);
  std::vector<std::vector<SimilarUser>> best;
  {
    StoredUsers stored(comm, users, dataset.items.distribution, std::move(behaviour), options, memory);
    best = stored.most_similar(stored.behaviour(), self);
    result.passes = stored.passes();
  }
  result.edges = both_directions(comm, users, best);
  return result;
}

std::int64_t similar_users_bytes(std::int64_t users, std::int64_t interactions, std::int64_t neighbours) {
  const auto named = users * neighbours;
  const auto best = named * std::int64_t{sizeof(SimilarUser)} + 40 * users;  // with a list's own bytes
  // Who has what, as users and as items, and what is fetched of it; then the edges that come back, and both directions.
  return best + std::max(24 * interactions, 32 * named);
}

UserIndex::UserIndex(const Communicator& comm, const Dataset& dataset, const GraphConfig& options, std::int64_t memory)
    : comm_(comm), options_(options), items_(dataset.items.distribution) {
  Behaviour behaviour;
  const auto& users = dataset.users.distribution;
  comm.attempt([&] { behaviour = behaviour_of(dataset, users.count(comm.rank()), options); });
  passed_over_ = pass_over(comm, items_, options.max_item_users, behaviour);
  stored_ = std::make_unique<StoredUsers>(comm, users, items_, std::move(behaviour), options, memory);
}

UserIndex::~UserIndex() = default;

PairTable UserIndex::most_similar(const PairTable& asked, std::span<const std::int64_t> self) {
  Behaviour theirs;
  comm_.attempt([&] {
    for (std::int64_t u = 0; u < asked.rows(); ++u) {
      for (const auto k : places_of(asked.row_begin, u)) {
        if (asked.weight[k] == 0) continue;
        theirs.item.push_back(asked.other[k]);
        if (is_weighted(options_)) theirs.weight.push_back(asked.weight[k]);
      }
      theirs.row_begin.push_back(std::ssize(theirs.item));
    }
  });
  pass_over(comm_, items_, passed_over_, theirs);
  const auto best = stored_->most_similar(theirs, self);
  PairTable edges;
  comm_.attempt([&] {
    std::vector<SimilarUser> row;
    for (const auto& of_user : best) {
      row = of_user;
      std::ranges::sort(row, {}, &SimilarUser::user);
      for (const auto& each : row) {
        edges.other.push_back(each.user);
        edges.weight.push_back(each.weight);
      }
      edges.row_begin.push_back(edges.size());
    }
  });
  return edges;
}

}  // namespace cohort
