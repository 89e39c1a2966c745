#include "recommend/blend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "comm/index_plan.hpp"
#include "core/fixed_point.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "data/distinct.hpp"
#include "data/pair_table.hpp"
#include "items/ranking_measures.hpp"
#include "recommend/blend_query.hpp"
#include "recommend/item_rows.hpp"
#include "recommend/score_scale.hpp"
#include "recommend/user_means.hpp"

namespace cohort {

namespace {

// Of a user's pairs. What is trained without many of them is worse than what is trained on all, an embedding more so
// than a filter of the graph, and what is chosen with it is chosen for too little data.
constexpr double least_share = 0.1;
constexpr double largest_share = 0.2;
constexpr int largest_smoothing_bits = 30;
constexpr double smallest_weight = 0.05;
constexpr int weights = 9;
constexpr std::int64_t validation_cut_off = 20;
// The best of nine weights is above one standard error by chance alone all too often.
constexpr double errors_needed = 2;

double length_of(std::span<const float> row) {
  double sum = 0;
  for (const auto value : row) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

std::int32_t nearest_segment(std::span<const float> row, const Population& population) {
  std::int32_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int32_t s = 0; s < population.segments(); ++s) {
    const auto centroid = population.centroid.at(s);
    double inner = 0;
    double squared = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      inner += static_cast<double>(row[c]) * static_cast<double>(centroid[c]);
      squared += static_cast<double>(centroid[c]) * static_cast<double>(centroid[c]);
    }
    const auto distance = population.spherical ? (squared > 0 ? -inner / std::sqrt(squared) : 0) : squared - 2 * inner;
    if (distance < least) {
      least = distance;
      nearest = s;
    }
  }
  return nearest;
}

std::vector<SegmentItem> pairs_of(const PairTable& pairs, std::span<const std::int32_t> segment) {
  std::vector<SegmentItem> result;
  for (std::size_t u = 0; u < segment.size(); ++u) {
    for (const auto k : places_of(pairs.row_begin, u)) {
      result.push_back({pairs.other[k], segment[u]});
    }
  }
  return result;
}

}  // namespace

HeldBack hold_back(const Communicator& comm, const PairTable& interactions, const Distribution& users,
                   const Distribution& items, std::uint64_t seed) {
  COHORT_CHECK(items.total() <= (std::int64_t{1} << 32), "item numbers are 32-bit counters");
  const CounterRandom of_users(seed, Purpose::validation_users);
  const CounterRandom of_pairs(seed, Purpose::validation_pairs);
  const auto first = users.begin(comm.rank());
  const double share = validation_users / static_cast<double>(users.total());
  HeldBack result;
  comm.attempt([&] {
    std::vector<char> left(interactions.other.size(), 1);
    for (std::int64_t u = 0; u < interactions.rows(); ++u) {
      const auto user = static_cast<std::uint64_t>(first + u);
      if (of_users.uniform(user) >= share) continue;
      const auto begin = static_cast<std::size_t>(interactions.row_begin[u]);
      const auto end = static_cast<std::size_t>(interactions.row_begin[u + 1]);
      if (begin == end) continue;
      // One is expected of those who have few.
      const double of_user = std::clamp(1 / static_cast<double>(end - begin), least_share, largest_share);
      bool any_left = false;
      for (auto i = begin; i < end; ++i) {
        const auto item = static_cast<std::uint32_t>(interactions.other[i]);
        left[i] = of_pairs.uniform(user, item) < of_user ? 0 : 1;
        any_left = any_left || left[i];
      }
      if (!any_left) left[end - 1] = 1;
    }
    result.left = keep_entries(interactions, left);
    for (auto& flag : left) flag = flag ? 0 : 1;
    result.pairs = keep_entries(interactions, left);
  });
  return result;
}

std::vector<std::int32_t> stand_in_segments(const Communicator& comm, const Population& population,
                                            const HeldBack& held, const ItemCounts& counts) {
  std::vector<std::int64_t> users;
  std::vector<std::int64_t> theirs;  // items of what they have left
  Distinct items;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < held.pairs.rows(); ++u) {
      if (held.pairs.row(u).empty()) continue;
      users.push_back(u);
      const auto left = held.left.row(u);
      theirs.insert(theirs.end(), left.begin(), left.end());
    }
    items = distinct_of(theirs);
  });
  const auto rows = fetch_item_rows(comm, *population.item_blocks, population.items, items.values);
  const auto item_users =
      IndexPlan(comm, *population.item_blocks, items.values).fetch(std::span<const std::int64_t>(counts.users));
  std::vector<std::int32_t> segment;
  comm.attempt([&] {
    segment.assign(population.segment.begin(), population.segment.end());
    std::vector<double> sum(rows.columns());
    std::vector<float> stand_in(sum.size());
    std::size_t next = 0;  // of items.place
    for (const auto user : users) {
      std::ranges::fill(sum, 0.0);
      for (const auto end = next + held.left.row(user).size(); next < end; ++next) {
        const auto place = items.place[next];
        const auto factor = 1 / std::sqrt(static_cast<double>(item_users[place]));
        const auto row = rows.view().at(place);
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += factor * static_cast<double>(row[c]);
      }
      double squares = 0;
      for (const auto value : sum) squares += value * value;
      const auto factor = squares > 0 ? length_of(population.users.at(user)) / std::sqrt(squares) : 0.0;
      for (std::size_t c = 0; c < sum.size(); ++c) stand_in[c] = static_cast<float>(factor * sum[c]);
      segment[user] = nearest_segment(stand_in, population);
    }
  });
  return segment;
}

double choose_smoothing(const Communicator& comm, const ItemCounts& counts, const PairTable& held_back,
                        std::span<const std::int32_t> segment) {
  std::vector<SegmentItem> pairs;
  comm.attempt([&] { pairs = pairs_of(held_back, segment); });
  const auto known = look_up(comm, counts, pairs);
  const auto total = comm.sum(std::ssize(pairs));
  const auto fixed = FixedPoint::for_count(total, 7);  // -log p < 64 = 2^6
  std::vector<double> candidates{no_segments};
  for (int b = largest_smoothing_bits; b >= 0; --b) candidates.push_back(std::ldexp(1.0, b));
  std::vector<std::int64_t> likelihood(candidates.size(), 0);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto p = popularity_inside(popularity(known[i].users, counts.interactions, counts.blocks.total()),
                                       known[i].segment_users, counts.in_segment[pairs[i].segment], candidates[c]);
      likelihood[c] += fixed.fixed(std::log(p));
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(likelihood));
  return candidates[std::ranges::max_element(likelihood) - likelihood.begin()];
}

BlendWeight choose_weight(const Communicator& comm, const Validation& validation, const ItemCounts& counts,
                          const ItemChoice& choice, double smoothing) {
  const ScoreScale scale(comm, validation.items.view());
  LogPrior prior;
  std::vector<std::int64_t> users;
  std::vector<double> gains;
  comm.attempt([&] {
    prior = log_prior(counts, choice.rows, smoothing);
    gains = ideal_gains(validation_cut_off);
    users = validation.held.user_rows();
  });
  if (comm.sum(std::ssize(users)) == 0) return {0, std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, {}};
  TopItemsQuery query;
  query.users = validation.users.view();
  query.items = choice.embeddings(validation.items.view());
  query.blocks = &choice.blocks;
  query.numbers = choice.numbers;
  query.excluded = &validation.held.left;
  query.chosen = &users;
  query.k = validation_cut_off;
  // NDCG of each of this rank's users; nothing of those that hold nothing back.
  const auto ndcg_of_users = [&](double weight) {
    std::optional<BlendQuery> blend;
    std::vector<double> ndcg;
    comm.attempt([&] {
      blend.emplace(query.users, validation.segment, scale, prior, weight);
      ndcg.assign(validation.held.pairs.rows(), 0.0);
    });
    query.prior = blend->prior();
    top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
      ndcg[user] = measure_list(best, validation.held.pairs.row(user), validation_cut_off, gains).ndcg;
    });
    return ndcg;
  };
  const UserMeans means(comm, users);
  auto without = ndcg_of_users(0);
  const auto ndcg_without = means.mean(without);
  BlendWeight best{0, ndcg_without, 0, 0, 0, {}};
  std::vector<double> with;
  for (int i = 0; i < weights; ++i) {
    const auto weight = std::ldexp(smallest_weight, i);
    auto ndcg = ndcg_of_users(weight);
    const auto found = means.mean(ndcg);
    if (found <= best.ndcg) continue;
    best.ndcg = found;
    best.best_weight = weight;
    with = std::move(ndcg);
  }
  if (best.best_weight > 0) {
    const auto gain = means.gain(with, without);
    best.gain = gain.mean;
    best.standard_error = gain.standard_error;
  }
  if (best.gain > errors_needed * best.standard_error) {
    best.weight = best.best_weight;
    best.ndcg_of_user = std::move(with);
  } else {
    best.ndcg = ndcg_without;
    best.ndcg_of_user = std::move(without);
  }
  return best;
}

}  // namespace cohort
