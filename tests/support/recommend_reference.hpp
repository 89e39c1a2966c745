// A small population that every rank knows whole, and what recommendations must be of it, computed plainly: whole rows
// of scores, sorted. For the tests of recommendations and of their evaluation.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "core/random.hpp"
#include "recommend/blend.hpp"
#include "recommend/recommendation.hpp"

namespace cohort::testing_support {

/// Those that need no graph; tests/mpi/recommend/filter_test.cpp has the others.
inline constexpr std::array unfiltered{Strategy::global, Strategy::segment, Strategy::personal, Strategy::blend};

using Rows = std::vector<std::vector<float>>;
using Lists = std::vector<std::vector<std::int64_t>>;

/// Everything of everybody.
struct WholePopulation {
  std::int64_t columns = 0;
  Rows users, items, centroid;
  Lists interactions;                 ///< of each user, ascending
  std::vector<std::int32_t> segment;  ///< of each user

  std::int64_t user_count() const { return std::ssize(users); }
  std::int64_t item_count() const { return std::ssize(items); }
  std::int64_t segments() const { return std::ssize(centroid); }
  std::int64_t users_of(std::int64_t item) const { return item_users[item]; }
  std::int64_t users_inside(std::int64_t item, std::int32_t of) const { return inside[of][item]; }
  std::int64_t interactions_inside(std::int32_t of) const {
    return std::accumulate(inside[of].begin(), inside[of].end(), std::int64_t{0});
  }
  std::int64_t all_interactions() const {
    return std::accumulate(item_users.begin(), item_users.end(), std::int64_t{0});
  }

  /// After every change of the interactions or segments.
  void count() {
    item_users.assign(items.size(), 0);
    inside.assign(centroid.size(), item_users);
    for (std::size_t u = 0; u < users.size(); ++u) {
      for (const auto item : interactions[u]) {
        ++item_users[item];
        ++inside[segment[u]][item];
      }
    }
  }

  std::vector<std::int64_t> item_users;
  Lists inside;  ///< by segment: users of each item
};

/// The last segment has no users; user 1 has every item that anybody has, user 2 none, and nobody has the last item.
/// Whole numbers where `ties`. Each segment prefers its own items.
inline WholePopulation whole_population(std::int64_t users, std::int64_t items, std::int64_t columns,
                                        std::int32_t segments, bool ties, unsigned seed) {
  std::mt19937 random(seed);
  const auto rows = [&](std::int64_t count) {
    Rows result(static_cast<std::size_t>(count), std::vector<float>(columns));
    for (auto& row : result) {
      for (auto& value : row) {
        value = ties ? static_cast<float>(static_cast<int>(random() % 3) - 1)
                     : static_cast<float>(random()) / static_cast<float>(std::mt19937::max()) - 0.4F;
      }
    }
    return result;
  };
  WholePopulation whole;
  whole.columns = columns;
  whole.users = rows(users);
  whole.items = rows(items);
  whole.centroid = rows(segments);
  whole.interactions.resize(users);
  for (std::int64_t u = 0; u < users; ++u) {
    whole.segment.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(segments - 1)));
    for (std::int64_t i = 0; i < items; ++i) {
      const bool preferred = i % segments == whole.segment.back();
      if (u == 1 || (u != 2 && i + 1 < items && random() % 16 < (preferred ? 8U : 2U))) {
        whole.interactions[u].push_back(i);
      }
    }
  }
  whole.interactions[1].pop_back();  // the last item has nobody
  whole.count();
  return whole;
}

/// This rank's part, as the code under test gets it.
struct BlockPopulation {
  Distribution user_blocks, item_blocks;
  Matrix users, items, centroid;
  PairTable interactions;
  std::vector<std::int32_t> segment;

  BlockPopulation(const WholePopulation& whole, const Distribution& user_distribution,
                  const Distribution& item_distribution, int rank)
      : user_blocks(user_distribution), item_blocks(item_distribution) {
    const auto block = [&](const Rows& rows, std::int64_t first, std::int64_t count) {
      Matrix matrix(count, count > 0 ? whole.columns : 0);
      for (std::int64_t i = 0; i < count; ++i) std::ranges::copy(rows[first + i], matrix.row(i));
      return matrix;
    };
    users = block(whole.users, user_blocks.begin(rank), user_blocks.count(rank));
    items = block(whole.items, item_blocks.begin(rank), item_blocks.count(rank));
    centroid = block(whole.centroid, 0, whole.segments());
    for (auto u = user_blocks.begin(rank); u < user_blocks.end(rank); ++u) {
      const auto& list = whole.interactions[u];
      interactions.other.insert(interactions.other.end(), list.begin(), list.end());
      interactions.row_begin.push_back(std::ssize(interactions.other));
      segment.push_back(whole.segment[u]);
    }
    interactions.weight.assign(interactions.other.size(), 1.0F);
  }
  /// Of another population of the same blocks: its embeddings and segments are what was learnt without the pairs.
  Validation validation(const Communicator& comm, const PairTable& all, std::uint64_t seed) const {
    Validation result;
    result.held = hold_back(comm, all, user_blocks, item_blocks, seed);
    result.users = copy_of(users);
    result.items = copy_of(items);
    result.segment = segment;
    result.segments = static_cast<std::int32_t>(centroid.rows());
    return result;
  }
  static Matrix copy_of(const Matrix& rows) {
    Matrix copy(rows.rows(), rows.columns());
    for (std::int64_t i = 0; i < rows.rows(); ++i) std::copy_n(rows.row(i), rows.columns(), copy.row(i));
    return copy;
  }
  Population population() const {
    return {&interactions, segment, users.view(), items.view(), centroid.view(), &user_blocks, &item_blocks, false};
  }
};

/// Even blocks; all on the last rank.
inline std::vector<Distribution> block_distributions(std::int64_t total, int ranks) {
  std::vector<std::int64_t> last(ranks, 0);
  last.push_back(total);
  return {Distribution::even(total, ranks), Distribution(last)};
}

/// One chain of fused multiply-adds, as the kernel's contract says.
inline float inner_product(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum = std::fma(a[c], b[c], sum);
  return sum;
}

inline double popularity_of(const WholePopulation& whole, std::int64_t item) {
  return static_cast<double>(whole.users_of(item) + 1) /
         static_cast<double>(whole.all_interactions() + whole.item_count());
}

inline double popularity_inside_of(const WholePopulation& whole, std::int64_t item, std::int32_t segment, double m) {
  if (std::isinf(m)) return popularity_of(whole, item);
  return (static_cast<double>(whole.users_inside(item, segment)) + m * popularity_of(whole, item)) /
         (static_cast<double>(whole.interactions_inside(segment)) + m);
}

/// Mean and deviation of a row's inner products with all items, from these products.
inline std::pair<double, double> spread_of(const WholePopulation& whole, const std::vector<float>& row) {
  double sum = 0, squares = 0;
  std::vector<double> scores;
  for (const auto& item : whole.items) {
    double score = 0;
    for (std::size_t c = 0; c < row.size(); ++c) score += static_cast<double>(row[c]) * static_cast<double>(item[c]);
    scores.push_back(score);
    sum += score;
  }
  const auto mean = sum / static_cast<double>(scores.size());
  for (const auto score : scores) squares += (score - mean) * (score - mean);
  return {mean, std::sqrt(squares / static_cast<double>(scores.size()))};
}

/// Scores of all items for a row of embeddings (a user's or a centroid's) in a segment, in float64 but for `personal`.
inline std::vector<double> reference_scores(const WholePopulation& whole, Strategy strategy,
                                            const std::vector<float>& row, std::int32_t segment, double m, double w) {
  const auto [mean, deviation] = spread_of(whole, row);
  std::vector<double> scores;
  for (std::int64_t i = 0; i < whole.item_count(); ++i) {
    const auto& item = whole.items[i];
    double product = 0;
    for (std::size_t c = 0; c < row.size(); ++c) product += static_cast<double>(row[c]) * static_cast<double>(item[c]);
    scores.push_back(strategy == Strategy::global     ? static_cast<double>(whole.users_of(i))
                     : strategy == Strategy::segment  ? popularity_inside_of(whole, i, segment, m)
                     : strategy == Strategy::personal ? static_cast<double>(inner_product(row, item))
                                                      : (product - mean) / (deviation > 0 ? deviation : 1) +
                                                            w * std::log(popularity_inside_of(whole, i, segment, m)));
  }
  return scores;
}

struct ReferenceItem {
  double score;
  std::int64_t item;
};

/// All items that pass, best first, ties to the smaller.
inline std::vector<ReferenceItem> reference_ranking(const WholePopulation& whole, Strategy strategy,
                                                    const std::vector<float>& row, std::int32_t segment,
                                                    const std::vector<std::int64_t>& seen,
                                                    const std::vector<char>& chosen, double m, double w) {
  std::vector<ReferenceItem> all;
  const auto scores = reference_scores(whole, strategy, row, segment, m, w);
  for (std::int64_t i = 0; i < whole.item_count(); ++i) {
    if (!chosen[i] || std::ranges::binary_search(seen, i)) continue;
    all.push_back({scores[i], i});
  }
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

inline std::vector<WholePopulation> populations() {
  return {whole_population(61, 45, 10, 4, false, 1), whole_population(40, 70, 33, 3, true, 2),
          whole_population(3, 5, 10, 2, false, 3)};
}

/// Calls check(whole, block) for every population and cut into blocks.
template <class Check>
void for_each_case(const Communicator& comm, Check check) {
  for (const auto& whole : populations()) {
    const auto users = block_distributions(whole.user_count(), comm.size());
    const auto items = block_distributions(whole.item_count(), comm.size());
    for (const std::size_t cut : {0, 1}) {
      SCOPED_TRACE(testing::Message() << whole.user_count() << " x " << whole.item_count() << ", cut " << cut);
      check(whole, BlockPopulation(whole, users[cut], items[cut], comm.rank()));
    }
  }
}

/// The pairs that hold_back must draw, from its description.
struct ReferencePairs {
  Lists left, held;  // of all users
};

inline ReferencePairs reference_pairs(const WholePopulation& whole, std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::validation_pairs);
  ReferencePairs pairs{Lists(whole.users.size()), Lists(whole.users.size())};
  for (std::size_t u = 0; u < whole.users.size(); ++u) {
    const auto count = whole.interactions[u].size();
    const double share = count <= 5 ? 0.2 : count >= 10 ? 0.1 : 1 / static_cast<double>(count);
    for (const auto item : whole.interactions[u]) {
      const bool held = random.uniform(u, static_cast<std::uint32_t>(item)) < share;
      (held ? pairs.held : pairs.left)[u].push_back(item);
    }
    if (pairs.left[u].empty() && !pairs.held[u].empty()) {
      pairs.left[u].push_back(pairs.held[u].back());
      pairs.held[u].pop_back();
    }
    if (pairs.held[u].empty()) pairs.left[u] = whole.interactions[u];
  }
  return pairs;
}

/// What the population looks like without what is held back.
inline WholePopulation reference_left(const WholePopulation& whole, const ReferencePairs& pairs) {
  auto left = whole;
  left.interactions = pairs.left;
  left.count();
  return left;
}

/// Every user's value, from those of this rank's block. Collective.
inline std::vector<std::int32_t> whole_segments(const Communicator& comm, const BlockPopulation& block,
                                                const std::vector<std::int32_t>& mine) {
  std::vector<std::int32_t> all(block.user_blocks.total(), -1);
  for (std::size_t u = 0; u < mine.size(); ++u) all[block.user_blocks.begin(comm.rank()) + u] = mine[u];
  for (auto& value : all) value = comm.max(value);
  return all;
}

/// Of the pairs held back, sum of log p(i|s): the largest of the grid of smoothings, and that of `chosen`.
inline std::pair<double, double> most_likely_smoothing(const WholePopulation& left, const Lists& held,
                                                       const std::vector<std::int32_t>& segment, double chosen) {
  const auto likelihood = [&](double m) {
    double sum = 0;
    for (std::size_t u = 0; u < held.size(); ++u) {
      for (const auto item : held[u]) sum += std::log(popularity_inside_of(left, item, segment[u], m));
    }
    return sum;
  };
  double best = likelihood(no_segments);
  for (int b = 30; b >= 0; --b) best = std::max(best, likelihood(std::ldexp(1.0, b)));
  return {best, likelihood(chosen)};
}

}  // namespace cohort::testing_support
