#include "partition/shard_numbering.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "partition/metis_call.hpp"

namespace cohort {

namespace {

// Up to this many shards, all bisections are tried.
constexpr std::int64_t few = 8;

using Shards = std::vector<std::int32_t>;
using Halves = std::array<Shards, 2>;

// A set of shards that get the numbers first..first + shards.size() - 1; ascending by old number.
struct Run {
  std::int32_t first = 0;
  Shards shards;
};

class Numbering {
 public:
  Numbering(const QuotientGraph& quotient, std::span<const std::int64_t> cost, std::uint64_t seed)
      : quotient_(quotient), cost_(cost), seed_(seed), first_number_(cost.size(), 0), place_(cost.size(), -1) {}

  Shards run() {
    Run all;
    Shards empty;
    for (std::int32_t s = 0; s < std::ssize(cost_); ++s) (cost_[s] > 0 ? all.shards : empty).push_back(s);
    for (std::size_t i = 0; i < empty.size(); ++i) {
      first_number_[empty[i]] = static_cast<std::int32_t>(all.shards.size() + i);
    }
    std::queue<Run> open;
    open.push(std::move(all));
    for (; !open.empty(); open.pop()) {
      const auto& run = open.front();
      if (run.shards.size() < 2) continue;
      auto halves = orient(run, std::ssize(run.shards) <= few ? best_halves(run.shards) : metis_halves(run.shards));
      const auto middle = run.first + static_cast<std::int32_t>(halves[0].size());
      for (const auto s : halves[1]) first_number_[s] = middle;
      const auto first = run.first;
      open.push({first, std::move(halves[0])});
      open.push({middle, std::move(halves[1])});
    }
    return std::move(first_number_);
  }

 private:
  template <class Visit>
  void visit_neighbours(std::int32_t shard, Visit visit) const {
    for (const auto k : places_of(quotient_.row_begin, shard)) {
      visit(quotient_.column[k], quotient_.weight[k]);
    }
  }

  // Least cut among all splits into halves of even number (they differ by one at most); then least difference in cost.
  Halves best_halves(const Shards& shards) {
    const auto n = shards.size();
    for (std::size_t i = 0; i < n; ++i) place_[shards[i]] = static_cast<std::int32_t>(i);
    std::array<std::array<std::int64_t, few>, few> weight{};
    for (std::size_t i = 0; i < n; ++i) {
      visit_neighbours(shards[i], [&](std::int32_t other, std::int64_t edges) {
        if (const auto j = place_[other]; j >= 0) weight[i][j] = edges;
      });
    }
    auto best = std::tuple(std::numeric_limits<std::int64_t>::max(), std::int64_t{0}, 0U);
    for (unsigned set = 1; set < (1U << n); ++set) {
      if (static_cast<std::size_t>(std::popcount(set)) != (n + 1) / 2) continue;
      std::int64_t cut = 0;
      std::int64_t difference = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const bool inside = (set >> i & 1U) != 0;
        difference += inside ? cost_[shards[i]] : -cost_[shards[i]];
        for (std::size_t j = 0; j < n; ++j) {
          if (inside && (set >> j & 1U) == 0) cut += weight[i][j];
        }
      }
      best = std::min(best, std::tuple(cut, std::abs(difference), set));
    }
    Halves halves;
    for (std::size_t i = 0; i < n; ++i) {
      halves[(std::get<2>(best) >> i & 1U) != 0 ? 0 : 1].push_back(shards[i]);
      place_[shards[i]] = -1;
    }
    return halves;
  }

  Halves metis_halves(const Shards& shards) {
    MetisGraph graph;
    std::vector<std::int64_t> node_weight;
    std::vector<std::int64_t> edge_weight;
    for (std::size_t i = 0; i < shards.size(); ++i) place_[shards[i]] = static_cast<std::int32_t>(i);
    for (const auto shard : shards) {
      visit_neighbours(shard, [&](std::int32_t other, std::int64_t edges) {
        if (place_[other] < 0) return;
        graph.column.push_back(place_[other]);
        edge_weight.push_back(edges);
      });
      graph.row_begin.push_back(static_cast<idx_t>(graph.column.size()));
      node_weight.push_back(cost_[shard]);
    }
    for (const auto shard : shards) place_[shard] = -1;
    Halves halves;
    if (!graph.column.empty()) {
      graph.node_weight = metis_weights(node_weight, 1.0);
      graph.edge_weight = metis_weights(edge_weight, 1.0);
      const auto part = metis_bisect(graph, seed_);
      for (std::size_t i = 0; i < shards.size(); ++i) halves[part[i]].push_back(shards[i]);
      if (!halves[0].empty() && !halves[1].empty()) return halves;
    }
    const auto middle = shards.begin() + static_cast<std::ptrdiff_t>(shards.size() / 2);
    return {Shards(shards.begin(), middle), Shards(middle, shards.end())};
  }

  Halves orient(const Run& run, Halves halves) const {
    const auto end = run.first + static_cast<std::int32_t>(run.shards.size());
    std::array<std::int64_t, 2> to_front{};
    for (const std::size_t h : {0U, 1U}) {
      for (const auto shard : halves[h]) {
        visit_neighbours(shard, [&](std::int32_t other, std::int64_t edges) {
          const auto number = first_number_[other];
          if (number < run.first) to_front[h] += edges;
          if (number >= end) to_front[h] -= edges;
        });
      }
    }
    const bool swap = to_front[0] != to_front[1] ? to_front[0] < to_front[1] : halves[0].front() > halves[1].front();
    if (swap) std::swap(halves[0], halves[1]);
    return halves;
  }

  const QuotientGraph& quotient_;
  std::span<const std::int64_t> cost_;
  std::uint64_t seed_;
  Shards first_number_;  // of the run that a shard is in; in the end its number
  Shards place_;         // in the set that is being cut; -1 outside
};

}  // namespace

std::vector<std::int32_t> number_shards(const QuotientGraph& quotient, std::span<const std::int64_t> shard_cost,
                                        std::uint64_t seed) {
  COHORT_CHECK(quotient.shards() == std::ssize(shard_cost));
  return Numbering(quotient, shard_cost, seed).run();
}

}  // namespace cohort
