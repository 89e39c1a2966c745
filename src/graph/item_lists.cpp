#include "graph/item_lists.hpp"

#include <bit>
#include <numeric>

#include "comm/cost_blocks.hpp"
#include "comm/index_plan.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

Distribution item_blocks(const Communicator& comm, const Distribution& items, const Distinct& wanted) {
  std::vector<std::int64_t> of_wanted;
  std::vector<std::int64_t> cost;
  comm.attempt([&] {
    of_wanted.assign(wanted.values.size(), 0);
    for (const auto place : wanted.place) ++of_wanted[place];
    cost.assign(items.count(comm.rank()), 1);
  });
  IndexPlan(comm, items, wanted.values).add<std::int64_t>(of_wanted, cost);
  return cost_blocks(comm, {cost}, comm.size());
}

}  // namespace

ItemLists::ItemLists(const Communicator& comm, const Distribution& items, std::int64_t first_user,
                     const Behaviour& behaviour, const Distinct& wanted, bool weighted)
    : weighted_(weighted), blocks_(item_blocks(comm, items, wanted)) {
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  std::vector<Entry> outgoing;
  std::vector<float> weight;
  comm.attempt([&] {
    std::vector<std::int32_t> owner;
    for (const auto item : wanted.values) owner.push_back(blocks_.owner(item));
    for (const auto place : wanted.place) ++begin[owner[place] + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    outgoing.resize(behaviour.item.size());
    if (weighted) weight.resize(behaviour.item.size());
    auto next = begin;
    for (std::int64_t u = 0; u < behaviour.users(); ++u) {
      for (const auto k : places_of(behaviour.row_begin, u)) {
        const auto to = owner[wanted.place[k]];
        const auto at = static_cast<std::size_t>(next[to]++);
        outgoing[at] = {behaviour.item[k] - blocks_.begin(to), static_cast<std::uint32_t>(first_user + u)};
        if (weighted) weight[at] = behaviour.weight[k];
      }
    }
  });
  const auto came = comm.exchange(std::span<const Entry>(outgoing), std::span<const std::int64_t>(begin)).data;
  outgoing = {};
  if (!weighted) begin.assign(begin.size(), 0);
  const auto came_weight = comm.exchange(std::span<const float>(weight), std::span<const std::int64_t>(begin)).data;
  comm.attempt([&] {
    row_begin_.assign(blocks_.count(comm.rank()) + 1, 0);
    fill(came, came_weight);
  });
}

// Ranks hold ascending users, so that a list in the order of arrival ascends.
void ItemLists::fill(std::span<const Entry> came, std::span<const float> weight) {
  for (const auto& entry : came) ++row_begin_[entry.item + 1];
  std::partial_sum(row_begin_.begin(), row_begin_.end(), row_begin_.begin());
  taken_ = row_begin_;
  auto next = row_begin_;
  user_.resize(came.size());
  weight_.resize(weight.size());
  for (std::size_t i = 0; i < came.size(); ++i) {
    const auto at = static_cast<std::size_t>(next[came[i].item]++);
    user_[at] = came[i].user;
    if (weighted_) weight_[at] = weight[i];
  }
}

ItemLists::Part ItemLists::take(std::int64_t first, std::int64_t end) {
  Part part;
  for (std::size_t i = 0; i + 1 < row_begin_.size(); ++i) {
    for (auto& k = taken_[i]; k < row_begin_[i + 1] && user_[k] < end; ++k) {
      part.user.push_back(static_cast<std::int32_t>(user_[k] - first));
      if (weighted_) part.weight.push_back(std::bit_cast<std::int32_t>(weight_[k]));
    }
    part.row_begin.push_back(std::ssize(part.user));
  }
  return part;
}

}  // namespace cohort
