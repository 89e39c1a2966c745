#include "graph/behaviour.hpp"

#include <algorithm>

#include "comm/index_plan.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "graph/edge_weights.hpp"

namespace cohort {

namespace {

// The largest limit at which the users of the items within it make no more pairs than `most`. Collective.
std::int64_t affordable_limit(const Communicator& comm, std::span<const std::int64_t> item_users, std::int64_t most) {
  constexpr std::int64_t plenty = std::int64_t{1} << 50;
  const auto pairs_within = [&](std::int64_t limit) {
    std::int64_t pairs = 0;
    for (const auto users : item_users) {
      if (users > limit) continue;
      pairs = users > (1 << 25) ? plenty : std::min(plenty, pairs + users * users);
    }
    return comm.sum(pairs);
  };
  auto low = comparisons_an_interaction;
  auto high = low;
  for (const auto users : item_users) high = std::max(high, users);
  high = comm.max(high);
  while (low < high) {
    const auto middle = high - (high - low) / 2;
    if (pairs_within(middle) <= most) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// Leaves what has at most `limit` users. users_of_seen: by place in `seen`, the distinct items of `behaviour`. Local.
void keep_within(std::int64_t limit, const Distinct& seen, std::span<const std::int64_t> users_of_seen,
                 Behaviour& behaviour) {
  std::size_t kept = 0;
  std::size_t k = 0;
  for (std::size_t u = 0; u + 1 < behaviour.row_begin.size(); ++u) {
    for (const auto end = static_cast<std::size_t>(behaviour.row_begin[u + 1]); k < end; ++k) {
      if (users_of_seen[seen.place[k]] > limit) continue;
      behaviour.item[kept] = behaviour.item[k];
      if (!behaviour.weight.empty()) behaviour.weight[kept] = behaviour.weight[k];
      ++kept;
    }
    behaviour.row_begin[u + 1] = static_cast<std::int64_t>(kept);
  }
  behaviour.item.resize(kept);
  if (!behaviour.weight.empty()) behaviour.weight.resize(kept);
}

}  // namespace

bool is_weighted(const GraphConfig& options) {
  return options.similarity == UserSimilarity::cosine && options.weight != EdgeWeighting::binary;
}

Behaviour behaviour_of(const Dataset& dataset, std::int64_t users, const GraphConfig& options) {
  const EdgeWeights weighting(options);
  const bool weighted = is_weighted(options);
  const auto& table = dataset.interactions;
  Behaviour behaviour;
  for (std::int64_t u = 0; u < table.rows(); ++u) {
    for (const auto k : places_of(table.row_begin, u)) {
      const float weight = weighting.interaction(table.weight[k]);
      if (weight == 0) continue;
      behaviour.item.push_back(table.other[k]);
      if (weighted) behaviour.weight.push_back(weight);
    }
    behaviour.row_begin.push_back(std::ssize(behaviour.item));
  }
  behaviour.row_begin.resize(users + 1, std::ssize(behaviour.item));
  return behaviour;
}

PassedOver pass_over(const Communicator& comm, const Distribution& items, std::int64_t limit, Behaviour& behaviour) {
  PassedOver result;
  Distinct seen;
  std::vector<std::int64_t> of_seen;
  std::vector<std::int64_t> item_users;
  comm.attempt([&] {
    seen = distinct_of(behaviour.item);
    of_seen.assign(seen.values.size(), 0);
    for (const auto place : seen.place) ++of_seen[place];
    item_users.assign(items.count(comm.rank()), 0);
  });
  const IndexPlan plan(comm, items, seen.values);
  plan.add<std::int64_t>(of_seen, item_users);
  const auto interactions = comm.sum(std::ssize(behaviour.item));
  result.max_item_users =
      limit > 0 ? limit : affordable_limit(comm, item_users, comparisons_an_interaction * interactions);
  for (const auto users : item_users) {
    if (users > result.max_item_users) {
      ++result.items;
      result.interactions += users;
    }
  }
  result.items = comm.sum(result.items);
  result.interactions = comm.sum(result.interactions);
  const auto users_of_seen = plan.fetch(std::span<const std::int64_t>(item_users));
  comm.attempt([&] { keep_within(result.max_item_users, seen, users_of_seen, behaviour); });
  result.item_users = std::move(item_users);
  return result;
}

void pass_over(const Communicator& comm, const Distribution& items, const PassedOver& passed_over,
               Behaviour& behaviour) {
  Distinct seen;
  comm.attempt([&] { seen = distinct_of(behaviour.item); });
  const auto users = IndexPlan(comm, items, seen.values).fetch(std::span<const std::int64_t>(passed_over.item_users));
  comm.attempt([&] { keep_within(passed_over.max_item_users, seen, users, behaviour); });
}

}  // namespace cohort
