// The best items of every user and the ranking measures, against plain sorts of whole rows of scores. Every rank knows
// all users and items, and hands over its block only.
#include "items/ranking_measures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <random>

#include "core/error.hpp"

namespace cohort {
namespace {

using Rows = std::vector<std::vector<float>>;
using Lists = std::vector<std::vector<std::int64_t>>;

// Whole numbers where `ties`: many equal scores, all of them exact.
Rows random_rows(std::int64_t rows, std::int64_t columns, bool ties, unsigned seed) {
  std::mt19937 random(seed);
  Rows result(static_cast<std::size_t>(rows), std::vector<float>(columns));
  for (auto& row : result) {
    for (auto& value : row) {
      value = ties ? static_cast<float>(static_cast<int>(random() % 5) - 2)
                   : static_cast<float>(random()) / static_cast<float>(std::mt19937::max()) - 0.5F;
    }
  }
  return result;
}

// Ascending, about one of `one_in` items; the last user has none.
Lists random_lists(std::int64_t users, std::int64_t items, unsigned one_in, unsigned seed) {
  std::mt19937 random(seed);
  Lists lists(static_cast<std::size_t>(users));
  for (std::int64_t u = 0; u + 1 < users; ++u) {
    for (std::int64_t i = 0; i < items; ++i) {
      if (random() % one_in == 0) lists[u].push_back(i);
    }
  }
  return lists;
}

Matrix block_of(const Rows& rows, std::int64_t columns, const Distribution& blocks, int rank) {
  Matrix matrix(blocks.count(rank), blocks.count(rank) > 0 ? columns : 0);
  for (std::int64_t i = 0; i < matrix.rows(); ++i) {
    std::ranges::copy(rows[blocks.begin(rank) + i], matrix.row(i));
  }
  return matrix;
}

PairTable block_of(const Lists& lists, const Distribution& blocks, int rank) {
  PairTable table;
  for (auto u = blocks.begin(rank); u < blocks.end(rank); ++u) {
    const auto& list = lists[u];
    table.other.insert(table.other.end(), list.begin(), list.end());
    table.row_begin.push_back(std::ssize(table.other));
  }
  table.weight.assign(table.other.size(), 1.0F);
  return table;
}

// The order in which the kernel's contract adds: one chain of fused multiply-adds.
float score(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum = std::fma(a[c], b[c], sum);
  return sum;
}

std::vector<ScoredItem> sorted_items(const Rows& users, const Rows& items, const Lists& excluded, std::int64_t user,
                                     std::int64_t k) {
  const auto u = static_cast<std::size_t>(user);
  std::vector<ScoredItem> all;
  for (std::int64_t i = 0; i < std::ssize(items); ++i) {
    const auto value = score(users[u], items[i]);
    if (!excluded.empty() && std::ranges::binary_search(excluded[u], i)) continue;
    if (!std::isnan(value)) all.push_back({value, i});
  }
  std::ranges::sort(all, [](const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
  });
  all.resize(std::min(all.size(), static_cast<std::size_t>(k)));
  return all;
}

// Even, all on the last rank, all on the first.
std::vector<Distribution> distributions(std::int64_t total, int ranks) {
  std::vector<std::int64_t> last(ranks, 0);
  last.push_back(total);
  std::vector<std::int64_t> head{0};
  head.insert(head.end(), static_cast<std::size_t>(ranks), total);
  return {Distribution::even(total, ranks), Distribution(last), Distribution(head)};
}

struct Case {
  std::int64_t users, items, columns, k;
  bool ties;
  TopItemsRoom room;
};

std::vector<Case> cases() {
  const TopItemsRoom little{2000, 20'000};  // a few users a batch, a few items a piece
  return {{37, 2300, 10, 20, true, {}},   {53, 1100, 33, 7, false, {}}, {5, 300, 1024, 20, false, {}},
          {23, 700, 10, 9, true, little}, {30, 12, 10, 20, true, {}},  // k > items
          {61, 90, 33, 90, true, little}, {1, 1, 1, 1, false, {}},      {0, 20, 16, 5, false, {}},
          {9, 0, 16, 5, false, {}}};
}

TEST(TopItems, AreThoseOfASort) {
  const auto comm = Communicator::world();
  for (const auto& c : cases()) {
    const auto users = random_rows(c.users, c.columns, c.ties, 1);
    auto items = random_rows(c.items, c.columns, c.ties, 2);
    if (c.items > 3) items[3][0] = std::numeric_limits<float>::quiet_NaN();
    const auto seen = random_lists(c.users, c.items, 4, 3);
    for (const auto& user_blocks : distributions(c.users, comm.size())) {
      for (const auto& item_blocks : distributions(c.items, comm.size())) {
        for (const bool exclude : {false, true}) {
          SCOPED_TRACE(testing::Message() << c.users << " x " << c.items << " x " << c.columns << ", k " << c.k);
          const auto user_rows = block_of(users, c.columns, user_blocks, comm.rank());
          const auto item_rows = block_of(items, c.columns, item_blocks, comm.rank());
          const auto excluded = block_of(seen, user_blocks, comm.rank());
          TopItemsQuery query{user_rows.view(), item_rows.view(), &item_blocks};
          query.excluded = exclude ? &excluded : nullptr;
          query.k = c.k;
          query.room = c.room;
          std::vector<std::vector<ScoredItem>> found(user_rows.rows());
          std::vector<int> calls(found.size(), 0);
          top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
            found[user].assign(best.begin(), best.end());
            ++calls[user];
          });
          for (std::int64_t u = 0; u < user_rows.rows(); ++u) {
            const auto& best = found[u];
            const auto expected =
                sorted_items(users, items, exclude ? seen : Lists(), user_blocks.begin(comm.rank()) + u, c.k);
            ASSERT_EQ(calls[u], 1);
            ASSERT_EQ(best.size(), expected.size());
            for (std::size_t r = 0; r < best.size(); ++r) {
              ASSERT_EQ(best[r].item, expected[r].item) << "user " << u << ", rank " << r;
              ASSERT_EQ(best[r].score, expected[r].score);
            }
          }
        }
      }
    }
  }
}

TEST(TopItems, OfChosenUsersOnly) {
  const auto comm = Communicator::world();
  const auto users = random_rows(100, 10, true, 4);
  const auto items = random_rows(50, 10, true, 5);
  const auto user_blocks = Distribution::even(100, comm.size());
  const auto item_blocks = Distribution::even(50, comm.size());
  const auto user_rows = block_of(users, 10, user_blocks, comm.rank());
  const auto item_rows = block_of(items, 10, item_blocks, comm.rank());
  // The first rank chooses nobody.
  std::vector<std::int64_t> chosen;
  for (std::int64_t u = 1; u < user_rows.rows() && !comm.is_root(); u += 3) chosen.push_back(u);
  TopItemsQuery query{user_rows.view(), item_rows.view(), &item_blocks};
  query.chosen = &chosen;
  query.k = 5;
  std::mutex mutex;
  std::vector<std::int64_t> asked;
  top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
    const std::scoped_lock lock(mutex);
    asked.push_back(user);
    EXPECT_EQ(best.front().item, sorted_items(users, items, {}, user_blocks.begin(comm.rank()) + user, 1)[0].item);
  });
  std::ranges::sort(asked);
  EXPECT_EQ(asked, chosen);
}

TEST(TopItems, AFailureInTheSinkIsEveryRanks) {
  const auto comm = Communicator::world();
  const auto blocks = Distribution::even(40, comm.size());
  const auto rows = block_of(random_rows(40, 4, false, 6), 4, blocks, comm.rank());
  const TopItemsQuery query{rows.view(), rows.view(), &blocks};
  const auto last = comm.rank() == comm.size() - 1;
  EXPECT_THROW(top_items(comm, query,
                         [&](std::int64_t user, std::span<const ScoredItem>) {
                           if (last && user == 2) throw RunError("the sink is full");
                         }),
               RunError);
}

// Of the best items by inner product.
std::vector<RankingMeasures> measures_of(const Communicator& comm, TopItemsQuery query, const PairTable& held_out,
                                         std::span<const std::int64_t> ks) {
  return ranking_measures(comm, held_out, ks,
                          [&](std::int64_t k, const std::vector<std::int64_t>& users, const TopItemsSink& sink) {
                            query.k = k;
                            query.chosen = &users;
                            top_items(comm, query, sink);
                          });
}

// By the definitions, over whole rows in float64.
RankingMeasures plain_measures(const Rows& users, const Rows& items, const Lists& seen, const Lists& held,
                               std::int64_t k) {
  RankingMeasures sum;
  sum.k = k;
  for (std::int64_t u = 0; u < std::ssize(users); ++u) {
    const auto& wanted = held[u];
    if (wanted.empty()) continue;
    ++sum.users;
    double hits = 0;
    double gain = 0;
    double ideal = 0;
    const auto best = sorted_items(users, items, seen, u, k);
    for (std::int64_t rank = 1; rank <= k; ++rank) {
      const auto discount = 1 / std::log2(static_cast<double>(rank) + 1);
      if (rank <= std::ssize(wanted)) ideal += discount;
      if (rank > std::ssize(best)) continue;
      const auto item = best[rank - 1].item;
      if (std::ranges::count(wanted, item) == 0) continue;
      hits += 1;
      gain += discount;
    }
    sum.recall += hits / static_cast<double>(wanted.size());
    sum.ndcg += gain / ideal;
    sum.precision += hits / static_cast<double>(k);
    sum.hit_rate += hits > 0 ? 1 : 0;
  }
  for (auto* value : {&sum.recall, &sum.ndcg, &sum.precision, &sum.hit_rate}) *value /= static_cast<double>(sum.users);
  return sum;
}

TEST(RankingMeasures, AreThoseOfTheDefinitions) {
  const auto comm = Communicator::world();
  const std::vector<std::int64_t> ks{5, 1, 20, 400};  // the last one is more than there are items
  for (const std::int64_t columns : {10, 33}) {
    const auto users = random_rows(90, columns, columns == 10, 7);
    const auto items = random_rows(300, columns, columns == 10, 8);
    const auto seen = random_lists(90, 300, 9, 9);
    auto held = random_lists(90, 300, 30, 10);
    // Unknown items, of which there may be several; items that were seen too stay in. User 4 has none, user 5 only
    // unknown ones.
    for (std::size_t u = 0; u < held.size(); u += 7) held[u].insert(held[u].begin(), u % 2 + 1, -1);
    held[4].clear();
    held[5] = {-1, -1};
    for (const auto& user_blocks : distributions(90, comm.size())) {
      const auto item_blocks = Distribution::even(300, comm.size());
      const auto user_rows = block_of(users, columns, user_blocks, comm.rank());
      const auto item_rows = block_of(items, columns, item_blocks, comm.rank());
      const auto excluded = block_of(seen, user_blocks, comm.rank());
      TopItemsQuery query{user_rows.view(), item_rows.view(), &item_blocks};
      query.excluded = &excluded;
      const auto found = measures_of(comm, query, block_of(held, user_blocks, comm.rank()), ks);
      ASSERT_EQ(found.size(), ks.size());
      for (std::size_t i = 0; i < ks.size(); ++i) {
        const auto expected = plain_measures(users, items, seen, held, ks[i]);
        EXPECT_EQ(found[i].k, ks[i]);
        EXPECT_EQ(found[i].users, expected.users);
        EXPECT_NEAR(found[i].recall, expected.recall, 1e-12);
        EXPECT_NEAR(found[i].ndcg, expected.ndcg, 1e-12);
        EXPECT_NEAR(found[i].precision, expected.precision, 1e-12);
        EXPECT_NEAR(found[i].hit_rate, expected.hit_rate, 1e-12);
        EXPECT_GT(found[i].recall, 0);
      }
    }
  }
}

TEST(RankingMeasures, OfAnExampleByHand) {
  const auto comm = Communicator::world();
  // One user; items score 5, 4, 3, 2, 1, 0. Item 1 was seen; held out are items 2, 5 and an unknown one. Ranked: 0, 2,
  // 3, 4, 5: hits at ranks 2 and 5.
  const Rows users{{1.0F}};
  const Rows items{{5}, {4}, {3}, {2}, {1}, {0}};
  const auto user_blocks = Distribution::even(1, comm.size());
  const auto item_blocks = Distribution::even(6, comm.size());
  const auto user_rows = block_of(users, 1, user_blocks, comm.rank());
  const auto item_rows = block_of(items, 1, item_blocks, comm.rank());
  const auto excluded = block_of(Lists{{1}}, user_blocks, comm.rank());
  TopItemsQuery query{user_rows.view(), item_rows.view(), &item_blocks};
  query.excluded = &excluded;
  const std::vector<std::int64_t> ks{2, 5};
  const auto found = measures_of(comm, query, block_of(Lists{{-1, 2, 5}}, user_blocks, comm.rank()), ks);
  EXPECT_NEAR(found[0].recall, 1.0 / 3, 1e-15);
  EXPECT_NEAR(found[1].recall, 2.0 / 3, 1e-15);
  EXPECT_NEAR(found[0].precision, 0.5, 1e-15);
  EXPECT_NEAR(found[1].precision, 0.4, 1e-15);
  EXPECT_NEAR(found[0].ndcg, (1 / std::log2(3)) / (1 + 1 / std::log2(3)), 1e-15);
  EXPECT_NEAR(found[1].ndcg, (1 / std::log2(3) + 1 / std::log2(6)) / (1 + 1 / std::log2(3) + 0.5), 1e-15);
  EXPECT_EQ(found[1].hit_rate, 1.0);
  EXPECT_EQ(found[1].users, 1);
}

TEST(RankingMeasures, OfPlacesAreThoseOfTheList) {
  const auto gains = ideal_gains(5);
  EXPECT_NEAR(ndcg_of_places(std::vector<std::int64_t>{1, 4}, 3, 5, gains),
              (1 / std::log2(3) + 1 / std::log2(6)) / (1 + 1 / std::log2(3) + 0.5), 1e-15);
  EXPECT_NEAR(ndcg_of_places(std::vector<std::int64_t>{1}, 9, 2, ideal_gains(2)),
              (1 / std::log2(3)) / (1 + 1 / std::log2(3)), 1e-15);
  EXPECT_EQ(ndcg_of_places({}, 3, 5, gains), 0.0);
}

TEST(RankingMeasures, WithoutHeldOutItemsAreNoNumbers) {
  const auto comm = Communicator::world();
  const auto blocks = Distribution::even(8, comm.size());
  const auto rows = block_of(random_rows(8, 4, false, 11), 4, blocks, comm.rank());
  const std::vector<std::int64_t> ks{3};
  const auto found =
      measures_of(comm, {rows.view(), rows.view(), &blocks}, block_of(Lists(8), blocks, comm.rank()), ks);
  EXPECT_EQ(found[0].users, 0);
  EXPECT_TRUE(std::isnan(found[0].recall));
  EXPECT_TRUE(std::isnan(found[0].ndcg));
}

}  // namespace
}  // namespace cohort
