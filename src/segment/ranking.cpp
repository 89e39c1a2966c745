#include "segment/ranking.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

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

// gain[n]: what hits on the first n ranks are worth together.
std::vector<double> ideal_gains(std::int64_t k) {
  std::vector<double> gain{0.0};
  for (std::int64_t rank = 1; rank <= k; ++rank) {
    gain.push_back(gain.back() + 1 / std::log2(static_cast<double>(rank + 1)));
  }
  return gain;
}

}  // namespace

std::vector<RankingMeasures> ranking_measures(const Communicator& comm, const TopItemsQuery& query,
                                              const PairTable& held_out, std::span<const std::int64_t> ks) {
  COHORT_CHECK(!ks.empty() && std::ranges::min(ks) >= 1 && held_out.rows() == query.users.rows);
  TopItemsQuery wanted = query;
  wanted.k = std::ranges::max(ks);
  std::vector<std::int64_t> users;
  std::vector<double> ideal;
  std::vector<Sums> sums(ks.size());
  comm.attempt([&] {
    for (std::int64_t u = 0; u < held_out.rows(); ++u) {
      const auto at = static_cast<std::size_t>(u);
      if (held_out.row_begin[at + 1] > held_out.row_begin[at]) users.push_back(u);
    }
    ideal = ideal_gains(wanted.k);
  });
  wanted.chosen = &users;
  const auto test_users = comm.sum(std::ssize(users));
  // Each user adds at most 1, so that all of them together stay below 2^62.
  const int bits = 62 - std::bit_width(static_cast<std::uint64_t>(test_users));
  const auto fixed = [&](double value) { return std::llround(std::ldexp(value, bits)); };

  top_items(comm, wanted, [&](std::int64_t user, std::span<const ScoredItem> best) {
    const auto u = static_cast<std::size_t>(user);
    const auto held = std::span<const std::int64_t>(held_out.other)
                          .subspan(static_cast<std::size_t>(held_out.row_begin[u]),
                                   static_cast<std::size_t>(held_out.row_begin[u + 1] - held_out.row_begin[u]));
    for (std::size_t i = 0; i < ks.size(); ++i) {
      std::int64_t hits = 0;
      double gain = 0;
      const auto ranked = best.first(std::min(best.size(), static_cast<std::size_t>(ks[i])));
      for (std::size_t r = 0; r < ranked.size(); ++r) {
        if (!std::ranges::binary_search(held, ranked[r].item)) continue;
        ++hits;
        gain += 1 / std::log2(static_cast<double>(r + 2));
      }
      if (hits == 0) continue;
      const auto possible = std::min<std::size_t>(held.size(), static_cast<std::size_t>(ks[i]));
      add(sums[i].recall, fixed(static_cast<double>(hits) / static_cast<double>(held.size())));
      add(sums[i].gain, fixed(gain / ideal[possible]));
      add(sums[i].hits, hits);
      add(sums[i].users_with_hit, 1);
    }
  });

  std::vector<RankingMeasures> result;
  for (std::size_t i = 0; i < ks.size(); ++i) {
    const auto count = static_cast<double>(test_users);
    const auto mean = [&](std::int64_t sum) { return std::ldexp(static_cast<double>(comm.sum(sum)), -bits) / count; };
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
