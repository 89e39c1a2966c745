// NDCG of what is held back and the gain of one embedding over another, against plain loops over all users.
#include "recommend/held_back_ranking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "recommend/user_means.hpp"

namespace cohort {
namespace {

constexpr std::int64_t user_count = 37;
constexpr std::int64_t item_count = 41;
constexpr std::int64_t columns = 5;

using Lists = std::vector<std::vector<std::int64_t>>;

struct Whole {
  Matrix users{user_count, columns};
  Matrix items{item_count, columns};
};

Whole embeddings(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Whole whole;
  for (auto* matrix : {&whole.users, &whole.items}) {
    for (std::int64_t row = 0; row < matrix->rows(); ++row) {
      for (std::int64_t c = 0; c < columns; ++c) matrix->row(row)[c] = normal(random);
    }
  }
  return whole;
}

PairTable block_of(const Lists& lists, const Distribution& blocks, int rank) {
  PairTable table;
  for (auto user = blocks.begin(rank); user < blocks.end(rank); ++user) {
    const auto& list = lists[user];
    table.other.insert(table.other.end(), list.begin(), list.end());
    table.row_begin.push_back(std::ssize(table.other));
  }
  table.weight.assign(table.other.size(), 1.0F);
  return table;
}

double reference_ndcg(const Whole& whole, std::int64_t user, const std::vector<std::int64_t>& left,
                      const std::vector<std::int64_t>& held) {
  std::vector<std::pair<double, std::int64_t>> ranking;
  for (std::int64_t item = 0; item < item_count; ++item) {
    if (std::ranges::binary_search(left, item)) continue;
    double score = 0;
    for (std::int64_t c = 0; c < columns; ++c) {
      score += static_cast<double>(whole.users.row(user)[c]) * static_cast<double>(whole.items.row(item)[c]);
    }
    ranking.emplace_back(-score, item);
  }
  std::ranges::sort(ranking);
  double gain = 0;
  double ideal = 0;
  for (std::size_t r = 0; r < 20; ++r) {
    const double worth = 1 / std::log2(static_cast<double>(r) + 2);
    if (r < ranking.size() && std::ranges::binary_search(held, ranking[r].second)) gain += worth;
    if (r < held.size()) ideal += worth;
  }
  return gain / ideal;
}

TEST(HeldBackRanking, IsThatOfPlainLoops) {
  const auto comm = Communicator::world();
  std::mt19937 random(3);
  Lists left(user_count);
  Lists held(user_count);
  for (std::size_t user = 0; user < user_count; ++user) {
    for (std::int64_t item = 0; item < item_count; ++item) {
      const auto drawn = random() % 10;
      if (drawn < 2) left[user].push_back(item);
      if (drawn == 2 && user % 3 != 0) held[user].push_back(item);
    }
  }
  const auto user_blocks = Distribution::even(user_count, comm.size());
  const auto item_blocks = Distribution::even(item_count, comm.size());
  const HeldBack mine{block_of(left, user_blocks, comm.rank()), block_of(held, user_blocks, comm.rank())};
  const auto block = [&](const Matrix& rows, const Distribution& blocks) {
    return rows.view().slice(blocks.begin(comm.rank()), blocks.count(comm.rank()));
  };
  const auto found = [&](const Whole& whole) {
    return ndcg_of_users(comm, block(whole.users, user_blocks), block(whole.items, item_blocks), item_blocks, mine);
  };
  const auto before = embeddings(1);
  const auto now = embeddings(2);
  const auto ndcg_before = found(before);
  const auto ndcg_now = found(now);

  std::vector<double> differences;
  double sum = 0;
  for (std::int64_t user = 0; user < user_count; ++user) {
    const auto u = static_cast<std::size_t>(user);
    if (held[u].empty()) continue;
    const double expected = reference_ndcg(now, user, left[u], held[u]);
    sum += expected;
    differences.push_back(expected - reference_ndcg(before, user, left[u], held[u]));
    if (user >= user_blocks.begin(comm.rank()) && user < user_blocks.end(comm.rank())) {
      EXPECT_NEAR(ndcg_now[user - user_blocks.begin(comm.rank())], expected, 1e-12);
    }
  }
  ASSERT_GT(differences.size(), 10U);
  const auto n = static_cast<double>(differences.size());
  const auto rows = mine.user_rows();
  const UserMeans means(comm, rows);
  EXPECT_EQ(means.count(), std::ssize(differences));
  EXPECT_NEAR(means.mean(ndcg_now), sum / n, 1e-12);
  double mean = 0;
  for (const double d : differences) mean += d / n;
  double variance = 0;
  for (const double d : differences) variance += (d - mean) * (d - mean) / (n - 1);
  const auto gain = means.gain(ndcg_now, ndcg_before);
  EXPECT_NEAR(gain.mean, mean, 1e-12);
  EXPECT_NEAR(gain.standard_error, std::sqrt(variance / n), 1e-12);
  EXPECT_EQ(means.gain(ndcg_now, ndcg_now).mean, 0);
}

TEST(HeldBackRanking, NobodyHoldsAnythingBack) {
  const auto comm = Communicator::world();
  EXPECT_TRUE(std::isnan(UserMeans(comm, {}).mean({})));
}

}  // namespace
}  // namespace cohort
