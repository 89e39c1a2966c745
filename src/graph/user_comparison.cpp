#include "graph/user_comparison.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "comm/cost_blocks.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// The users of a pass, those with the smallest norm first: who are like each other in it can be passed over together
// where they share too little to be among the best.
std::vector<std::uint32_t> by_norm(std::span<const double> norm) {
  std::vector<std::uint32_t> user(norm.size());
  std::iota(user.begin(), user.end(), 0U);
  std::ranges::stable_sort(user, {}, [&](std::uint32_t u) { return norm[u]; });
  return user;
}

// Writes the users of lists as their places in `user`, ascending in each list.
void place_by_norm(std::span<const std::uint32_t> user, ItemLists::Part& lists) {
  std::vector<std::int32_t> place(user.size());
  for (std::size_t p = 0; p < user.size(); ++p) place[user[p]] = static_cast<std::int32_t>(p);
  const bool weighted = !lists.weight.empty();
  const auto rows = std::ssize(lists.row_begin) - 1;
  ParallelFailure failure;
#pragma omp parallel
  {
    std::vector<std::pair<std::int32_t, std::int32_t>> sorted;
#pragma omp for schedule(dynamic, 64)
    for (std::int64_t row = 0; row < rows; ++row) {
      failure.run([&] {
        const auto places = places_of(lists.row_begin, row);
        sorted.clear();
        for (const auto k : places) sorted.emplace_back(place[lists.user[k]], weighted ? lists.weight[k] : 0);
        std::ranges::sort(sorted);
        for (const auto k : places) {
          const auto& [at, weight] = sorted[static_cast<std::size_t>(k - places.first)];
          lists.user[k] = at;
          if (weighted) lists.weight[k] = weight;
        }
      });
    }
  }
  failure.rethrow();
}

// The users that others are compared with, cut so that what a pass needs of the lists, twice as they are packed and
// sent, and what is known of each user fit `memory`; a thread's sums are of a tile at most. Collective.
Distribution passes_of(const Communicator& comm, const Behaviour& behaviour, std::int64_t memory) {
  const std::int64_t of_entry = behaviour.weight.empty() ? 8 : 16;
  constexpr std::int64_t of_user = 28;
  std::vector<std::int64_t> cost;
  std::int64_t total = 0;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < behaviour.users(); ++u) {
      cost.push_back(of_user + of_entry * (places_of(behaviour.row_begin, u).size()));
      total += cost.back();
    }
  });
  total = comm.sum(total);
  const auto passes = std::min((total + memory - 1) / memory, comm.sum(behaviour.users()));
  return cost_blocks(comm, {cost}, static_cast<int>(std::max<std::int64_t>(passes, 1)));
}

Distinct items_of(const Communicator& comm, const Behaviour& behaviour) {
  Distinct items;
  comm.attempt([&] { items = distinct_of(behaviour.item); });
  return items;
}

}  // namespace

StoredUsers::StoredUsers(const Communicator& comm, const Distribution& users, const Distribution& items,
                         Behaviour behaviour, const GraphConfig& options, std::int64_t memory)
    : comm_(comm),
      users_(users),
      options_(options),
      behaviour_(std::move(behaviour)),
      weighted_(comm.any(!behaviour_.weight.empty())),
      items_(items_of(comm, behaviour_)),
      passes_(passes_of(comm, behaviour_, memory)),
      lists_(comm, items, users.begin(comm.rank()), behaviour_, items_, weighted_) {
  comm.attempt([&] { norm_ = norms_of(behaviour_); });
}

// Collective.
StoredUsers::Part StoredUsers::part_of(int pass) {
  const auto first_user = users_.begin(comm_.rank());
  Part part;
  std::span<const double> own;
  comm_.attempt([&] {
    part.lists = lists_.take(passes_.begin(pass), passes_.end(pass));
    const auto from = std::clamp(passes_.begin(pass) - first_user, std::int64_t{0}, users_.count(comm_.rank()));
    const auto to = std::clamp(passes_.end(pass) - first_user, std::int64_t{0}, users_.count(comm_.rank()));
    own = std::span<const double>(norm_).subspan(from, to - from);
  });
  const auto norm = comm_.all_gather(own).data;
  comm_.attempt([&] {
    part.user = by_norm(norm);
    place_by_norm(part.user, part.lists);
    for (auto& user : part.user) {
      part.norm.push_back(norm[user]);
      user += static_cast<std::uint32_t>(passes_.begin(pass));
    }
  });
  return part;
}

std::vector<std::vector<SimilarUser>> StoredUsers::most_similar(const Behaviour& asked,
                                                                std::span<const std::int64_t> self) {
  COHORT_CHECK(std::ssize(self) == asked.users());
  const bool themselves = &asked == &behaviour_;
  Distinct other;
  if (!themselves) other = items_of(comm_, asked);
  const auto& wanted = themselves ? items_ : other;
  std::optional<PassComparison> comparison;
  comm_.attempt([&] { comparison.emplace(options_, asked, wanted, self); });
  const IndexPlan plan(comm_, lists_.blocks(), wanted.values);
  if (passes_.ranks() == 1 && !only_) only_ = part_of(0);
  if (!only_) lists_.rewind();
  for (int p = 0; p < passes_.ranks(); ++p) {
    comm_.stop_if_interrupted();
    std::optional<Part> taken;
    if (!only_) taken = part_of(p);
    const auto& part = only_ ? *only_ : *taken;
    ComparisonPass pass;
    pass.user = part.user;
    pass.norm = part.norm;
    pass.list = plan.fetch_rows(part.lists.row_begin, part.lists.user);
    if (weighted_) pass.bits = plan.fetch_rows(part.lists.row_begin, part.lists.weight).value;
    if (taken) taken->lists = {};
    comm_.attempt([&] { comparison->run(pass); });
  }
  return std::move(comparison->best);
}

}  // namespace cohort
