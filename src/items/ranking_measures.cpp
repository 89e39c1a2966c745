#include "items/ranking_measures.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/fixed_point.hpp"

namespace cohort {

namespace {

// Sums over users at one cut-off; recall and gain in units of 2^-bits.
struct Sums {
  std::int64_t recall = 0;
  std::int64_t gain = 0;
  std::int64_t hits = 0;
  std::int64_t users_with_hit = 0;
};

void add(std::int64_t& sum, std::int64_t value) {
  std::atomic_ref(sum).fetch_add(value, std::memory_order_relaxed);
}

// Of a hit at a place, counted from 0.
double gain_at(std::int64_t place) {
  return 1 / std::log2(static_cast<double>(place + 2));
}

// How many of the first k can be hits.
std::size_t possible(std::size_t held, std::int64_t k) {
  return std::min(held, static_cast<std::size_t>(k));
}

}  // namespace

std::vector<double> ideal_gains(std::int64_t k) {
  std::vector<double> gains{0.0};
  for (std::int64_t rank = 1; rank <= k; ++rank) {
    gains.push_back(gains.back() + gain_at(rank - 1));
  }
  return gains;
}

ListMeasures measure_list(std::span<const ScoredItem> best, std::span<const std::int64_t> held, std::int64_t k,
                          std::span<const double> gains) {
  ListMeasures found;
  double gain = 0;
  const auto ranked = best.first(std::min(best.size(), static_cast<std::size_t>(k)));
  for (std::size_t r = 0; r < ranked.size(); ++r) {
    if (!std::ranges::binary_search(held, ranked[r].item)) continue;
    ++found.hits;
    gain += gain_at(static_cast<std::int64_t>(r));
  }
  found.recall = static_cast<double>(found.hits) / static_cast<double>(held.size());
  found.ndcg = gain / gains[possible(held.size(), k)];
  return found;
}

double ndcg_of_places(std::span<const std::int64_t> places, std::size_t held, std::int64_t k,
                      std::span<const double> gains) {
  double gain = 0;
  for (const auto place : places) gain += gain_at(place);
  return gain / gains[possible(held, k)];
}

std::vector<RankingMeasures> ranking_measures(const Communicator& comm, const PairTable& held_out,
                                              std::span<const std::int64_t> ks, const MakeLists& make_lists) {
  COHORT_CHECK(!ks.empty() && std::ranges::min(ks) >= 1);
  const auto longest = std::ranges::max(ks);
  std::vector<std::int64_t> users;
  std::vector<double> gains;
  std::vector<Sums> sums(ks.size());
  comm.attempt([&] {
    for (std::int64_t u = 0; u < held_out.rows(); ++u) {
      if (!held_out.row(u).empty()) users.push_back(u);
    }
    gains = ideal_gains(longest);
  });
  const auto test_users = comm.sum(std::ssize(users));
  // Each user adds at most 1.
  const auto fixed = FixedPoint::for_count(test_users);

  make_lists(longest, users, [&](std::int64_t user, std::span<const ScoredItem> best) {
    for (std::size_t i = 0; i < ks.size(); ++i) {
      const auto found = measure_list(best, held_out.row(user), ks[i], gains);
      if (found.hits == 0) continue;
      add(sums[i].recall, fixed.fixed(found.recall));
      add(sums[i].gain, fixed.fixed(found.ndcg));
      add(sums[i].hits, found.hits);
      add(sums[i].users_with_hit, 1);
    }
  });

  std::vector<RankingMeasures> result;
  for (std::size_t i = 0; i < ks.size(); ++i) {
    const auto count = static_cast<double>(test_users);
    const auto mean = [&](std::int64_t sum) { return fixed.real(comm.sum(sum)) / count; };
    RankingMeasures measures;
    measures.k = ks[i];
    measures.users = test_users;
    measures.recall = mean(sums[i].recall);
    measures.ndcg = mean(sums[i].gain);
    measures.precision = static_cast<double>(comm.sum(sums[i].hits)) / count / static_cast<double>(ks[i]);
    measures.hit_rate = static_cast<double>(comm.sum(sums[i].users_with_hit)) / count;
    result.push_back(measures);
  }
  return result;
}

}  // namespace cohort
