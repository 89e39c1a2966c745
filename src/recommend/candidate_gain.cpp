#include "recommend/candidate_gain.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "items/ranking.hpp"
#include "items/top_items.hpp"

namespace cohort {

namespace {

constexpr std::int64_t cut_off = 20;

}  // namespace

std::vector<double> ndcg_of_users(const Communicator& comm, ConstMatrixView users, ConstMatrixView items,
                                  const Distribution& item_blocks, const HeldBack& held) {
  std::vector<std::int64_t> chosen;
  std::vector<double> gains;
  std::vector<double> ndcg;
  comm.attempt([&] {
    gains = ideal_gains(cut_off);
    ndcg.assign(static_cast<std::size_t>(held.pairs.rows()), 0.0);
    for (std::int64_t user = 0; user < held.pairs.rows(); ++user) {
      if (!held.pairs.row(user).empty()) chosen.push_back(user);
    }
  });
  TopItemsQuery query;
  query.users = users;
  query.items = items;
  query.blocks = &item_blocks;
  query.excluded = &held.left;
  query.chosen = &chosen;
  query.k = cut_off;
  top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
    ndcg[static_cast<std::size_t>(user)] = measure_list(best, held.pairs.row(user), cut_off, gains).ndcg;
  });
  return ndcg;
}

double mean_of_users(const Communicator& comm, const HeldBack& held, std::span<const double> ndcg) {
  const auto count = comm.sum(held.users());
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  const int bits = 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count)));
  std::int64_t sum = 0;
  for (const double value : ndcg) sum += std::llround(std::ldexp(value, bits));
  return std::ldexp(static_cast<double>(comm.sum(sum)), -bits) / static_cast<double>(count);
}

Gain gain_of_users(const Communicator& comm, const HeldBack& held, std::span<const double> now,
                   std::span<const double> before) {
  std::vector<double> difference;
  std::vector<double> square;
  comm.attempt([&] {
    for (std::size_t user = 0; user < now.size(); ++user) {
      difference.push_back(now[user] - before[user]);
      square.push_back(difference.back() * difference.back());
    }
  });
  const auto count = static_cast<double>(comm.sum(held.users()));
  const double mean = mean_of_users(comm, held, difference);
  const double variance = std::max(0.0, mean_of_users(comm, held, square) - mean * mean);
  return {mean, count > 1 ? std::sqrt(variance / (count - 1)) : std::numeric_limits<double>::infinity()};
}

}  // namespace cohort
