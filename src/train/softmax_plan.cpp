// What a step of the softmax loss takes: its users, its pool, the rows whose gradient it has, and which of those others
// read. Known on every rank without asking.
#include <algorithm>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "train/softmax.hpp"

namespace cohort {

// Any rank knows when any user's turn is: nobody needs to be told.
void Softmax::begin_epoch(std::int64_t epoch) {
  epoch_ = static_cast<std::uint32_t>(epoch);
  const RandomPermutation order(static_cast<std::uint64_t>(graph_.users), options_.seed, Purpose::softmax_users,
                                epoch_);
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (std::int64_t row = 0; row < graph_.local_rows(); ++row) {
    const LocalRow local{static_cast<std::int32_t>(row)};
    if (!is_user(local)) continue;
    const auto turn = order(static_cast<std::uint64_t>(graph_.node[row].value));
    step_of_[row] = static_cast<std::int32_t>(turn / static_cast<std::uint64_t>(options_.batch));
  }
}

std::int64_t Softmax::plan(std::int64_t first) {
  COHORT_CHECK(first >= 0 && first < steps_);
  step_ = first;
  comm_.attempt([&] {
    choose_pool();
    choose_rows();
    plan_ghosts();
  });
  return 1;
}

void Softmax::choose_pool() {
  const CounterRandom random(options_.seed, Purpose::softmax_pool);
  const auto candidates = static_cast<std::uint64_t>(graph_.items > 0 ? graph_.items : graph_.users);
  const std::int64_t first = graph_.items > 0 ? graph_.users : 0;
  drawn_.clear();
  for (std::int32_t k = 0; k < options_.pool; ++k) {
    const auto drawn = random.below(candidates, static_cast<std::uint64_t>(step_ * options_.pool + k), epoch_);
    const NodeId node{first + static_cast<std::int64_t>(drawn)};
    const auto found = std::ranges::lower_bound(candidate_, node, {}, &std::pair<NodeId, LocalRow>::first);
    if (found != candidate_.end() && found->first == node) drawn_.emplace_back(found->second, k);
  }
  std::ranges::sort(drawn_);
}

void Softmax::choose_rows() {
  const auto keep = [&](Rows list, std::span<const std::int64_t> cuts, auto& kept, auto& begin) {
    kept.clear();
    begin.assign(1, 0);
    for (std::size_t shard = 0; shard + 1 < cuts.size(); ++shard) {
      for (const LocalRow row : list.subspan(cuts[shard], cuts[shard + 1] - cuts[shard])) {
        if (is_target(row) || is_chosen(row)) kept.push_back(row);
      }
      begin.push_back(std::ssize(kept));
    }
  };
  keep(graph_.interior, graph_.interior_begin, interior_, interior_begin_);
  keep(graph_.boundary, graph_.boundary_begin, boundary_, boundary_begin_);
  std::ranges::fill(place_, -1);
  std::int32_t place = 0;
  for (const auto* list : {&interior_, &boundary_}) {
    for (const LocalRow row : *list) place_[row.value] = place++;
  }
  users_.clear();
  users_begin_.assign(1, 0);
  for (std::int32_t k = 0; k < shards_; ++k) {
    for (auto row = graph_.shard_first_row(comm_.rank(), k); row < graph_.shard_first_row(comm_.rank(), k + 1); ++row) {
      const LocalRow local{static_cast<std::int32_t>(row)};
      if (is_chosen(local)) users_.push_back(local);
    }
    users_begin_.push_back(std::ssize(users_));
  }
}

// Both sides of the halo know which of its rows have a gradient.
void Softmax::plan_ghosts() {
  const auto& all = graph_.halo;
  const auto counts = [&](LocalRow row) { return is_target(row) || is_chosen(row); };
  ghost_halo_ = {};
  ghost_.clear();
  ghost_halo_.send_begin.push_back(0);
  for (std::size_t i = 0; i < all.send_to.size(); ++i) {
    for (const std::int32_t row : all.rows_to(i)) {
      if (counts(LocalRow{row})) ghost_halo_.send_rows.push_back(place_[row]);
    }
    if (std::ssize(ghost_halo_.send_rows) == ghost_halo_.send_begin.back()) continue;
    ghost_halo_.send_to.push_back(all.send_to[i]);
    ghost_halo_.send_begin.push_back(std::ssize(ghost_halo_.send_rows));
  }
  ghost_halo_.receive_begin.push_back(0);
  for (std::size_t i = 0; i < all.receive_from.size(); ++i) {
    for (const auto k : places_of(all.receive_begin, i)) {
      const LocalRow row{static_cast<std::int32_t>(graph_.owned() + k)};
      if (counts(row)) ghost_.push_back(row);
    }
    if (std::ssize(ghost_) == ghost_halo_.receive_begin.back()) continue;
    ghost_halo_.receive_from.push_back(all.receive_from[i]);
    ghost_halo_.receive_begin.push_back(std::ssize(ghost_));
  }
}

}  // namespace cohort
