// Bounds are never below the score that they bound, and lists of the best that are made with their help are those of a
// plain sort, to the bit, at any number of ranks.
#include "items/score_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "items/top_items.hpp"
#include "kernels/scores.hpp"

namespace cohort {
namespace {

constexpr std::int64_t user_count = 1100;  // enough that bounds are used
constexpr std::int64_t item_count = 4300;
constexpr std::int64_t columns = 32;
constexpr std::int32_t groups = 3;

// Each column by `decay` shorter than the one before, then turned so that no column is an axis; times `scale`.
Matrix made_up_rows(std::int64_t count, double decay, double scale, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Matrix rows(count, columns);
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<double> x(columns);
    for (std::int64_t c = 0; c < columns; ++c) x[c] = normal(random) * std::pow(decay, c);
    for (std::int64_t c = 0; c < columns; ++c) {  // a Hadamard matrix
      double sum = 0;
      for (std::int64_t j = 0; j < columns; ++j)
        sum += std::popcount(static_cast<std::uint64_t>(c & j)) % 2 ? -x[j] : x[j];
      rows.row(i)[c] = static_cast<float>(scale * sum);
    }
  }
  return rows;
}

float score(const float* a, const float* b) {
  float sum = 0;
  for (std::int64_t c = 0; c < columns; ++c) sum = std::fma(a[c], b[c], sum);
  return sum;
}

ConstMatrixView block_of(const Matrix& all, const Distribution& blocks, int rank) {
  return all.view().slice(blocks.begin(rank), blocks.count(rank));
}

TEST(ScoreBounds, AreNeverBelowTheScore) {
  for (const double decay : {1.0, 0.7, 0.2}) {
    for (const double scale : {1.0, 1e-9, 1e15, 1e-19}) {
      SCOPED_TRACE(testing::Message() << decay << ", " << scale);
      const auto items = made_up_rows(500, decay, scale, 1);
      auto users = made_up_rows(90, decay, 1, 2);
      std::copy_n(items.row(7), columns, users.row(0));  // nothing is lost of a product with itself
      std::fill_n(users.row(1), columns, 0.0F);
      const PackedRows packed(items.view());
      std::vector<float> square;
      for (std::int64_t i = 0; i < items.rows(); ++i) square.push_back(ScoreBounds::squared_length(items.view().at(i)));
      ScoreBounds bounds(users.view());
      ASSERT_FALSE(bounds.choices().empty());
      for (const auto axes : bounds.choices()) {
        ASSERT_LT(axes + 2, columns / 2);
        bounds.keep(axes);
        Matrix bound(users.rows(), items.rows());
        const auto of_items = bounds.of_items(packed, square);
        inner_products(bounds.of_users(), PackedRows::of_columns(of_items.view(), items.rows()), bound.view());
        std::vector<float> beside(square.size());
        bounds.items_beside_first(of_items, square, beside);
        double gap = 0;
        double length = 0;
        for (std::int64_t u = 0; u < users.rows(); ++u) {
          for (std::int64_t i = 0; i < items.rows(); ++i) {
            const auto exact = score(users.row(u), items.row(i));
            ASSERT_GE(bound.row(u)[i] + 16 * std::numeric_limits<float>::min(), exact)
                << axes << ": " << u << ", " << i;
            const double by_one = static_cast<double>(bounds.of_users().row(u)[0]) * of_items.row(0)[i] +
                                  static_cast<double>(bounds.users_beside_first()[u]) * beside[i] +
                                  static_cast<double>(bounds.of_users().row(u)[axes + 1]) * of_items.row(axes + 1)[i];
            ASSERT_GE(by_one + 16 * std::numeric_limits<float>::min(), exact) << axes << ": " << u << ", " << i;
            gap += static_cast<double>(bound.row(u)[i]) - exact;
            length += std::sqrt(static_cast<double>(score(users.row(u), users.row(u))) * square[i]);
          }
        }
        // Most of a row is on its leading axes where columns decay.
        if (decay < 0.5 && scale > 1e-15 && axes == bounds.choices().back()) {
          EXPECT_LT(gap, 1e-3 * length);
        }
      }
    }
  }
}

TEST(ScoreBounds, RowsThatAreNotFiniteHaveNone) {
  auto users = made_up_rows(40, 0.7, 1, 1);
  users.row(0)[3] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(ScoreBounds(users.view()).choices().empty());
}

struct Case {
  const char* name;
  double decay, scale;
  bool ties, prior;
};

TEST(ScoreBounds, BestItemsAreThoseOfASort) {
  const auto comm = Communicator::world();
  constexpr std::int64_t k = 20;
  for (const Case& c : {Case{"decaying", 0.7, 1, false, false}, Case{"with a prior", 0.7, 1, false, true},
                        Case{"structureless", 1, 1, false, false}, Case{"ties", 0.7, 1, true, true},
                        Case{"near to the least float", 0.7, 1e-19, false, false}}) {
    SCOPED_TRACE(c.name);
    auto items = made_up_rows(item_count, c.decay, c.scale, 3);
    auto users = made_up_rows(user_count, c.decay, c.scale, 4);
    if (c.ties) {  // many equal rows: ties go to the smaller item
      for (std::int64_t i = 0; i < item_count; ++i) std::copy_n(items.row(i % 50), columns, items.row(i));
    }
    const auto item_blocks = Distribution::even(item_count, comm.size());
    const auto user_blocks = Distribution::even(user_count, comm.size());
    const auto first_user = user_blocks.begin(comm.rank());
    const auto first_item = item_blocks.begin(comm.rank());
    const auto own_items = item_blocks.count(comm.rank());

    // Group 1 prefers every third item; the others have the base alone.
    std::vector<std::int32_t> group(user_blocks.count(comm.rank()));
    std::vector<float> factor(group.size());
    for (std::size_t u = 0; u < group.size(); ++u) {
      group[u] = static_cast<std::int32_t>((first_user + static_cast<std::int64_t>(u)) % groups);
      factor[u] = 0.25F * static_cast<float>(1 + u % 5);
    }
    std::vector<float> base(own_items);
    for (std::int64_t i = 0; i < own_items; ++i) base[i] = -0.01F * static_cast<float>((first_item + i) % 7);
    std::vector<std::int32_t> row;
    std::vector<float> value;
    for (std::int64_t i = 0; i < own_items; ++i) {
      if ((first_item + i) % 3 != 0) continue;
      row.push_back(static_cast<std::int32_t>(i));
      value.push_back(1 + base[i]);
    }
    const std::vector<std::int64_t> begin{0, 0, std::ssize(row), std::ssize(row)};
    const ItemPrior prior{group, factor, base, begin, row, value};

    PairTable seen;  // the user's number tells which
    for (std::int64_t u = 0; u < std::ssize(group); ++u) {
      for (auto i = (first_user + u) % 11; i < item_count; i += 11) seen.other.push_back(i);
      seen.row_begin.push_back(std::ssize(seen.other));
    }
    seen.weight.assign(seen.other.size(), 1.0F);

    const auto own_users = block_of(users, user_blocks, comm.rank());
    TopItemsQuery query{own_users, block_of(items, item_blocks, comm.rank()), &item_blocks};
    query.excluded = &seen;
    query.k = k;
    query.prior = c.prior ? &prior : nullptr;
    std::vector<std::vector<ScoredItem>> found(group.size());
    top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
      found[user].assign(best.begin(), best.end());
    });
    for (std::int64_t u = 0; u < std::ssize(group); ++u) {
      std::vector<ScoredItem> all;
      for (std::int64_t i = 0; i < item_count; ++i) {
        if (i % 11 == (first_user + u) % 11) continue;
        auto of_pair = score(own_users.row(u), items.row(i));
        const float of_item = -0.01F * static_cast<float>(i % 7);
        if (c.prior) of_pair = std::fma(factor[u], group[u] == 1 && i % 3 == 0 ? 1 + of_item : of_item, of_pair);
        all.push_back({of_pair, i});
      }
      std::partial_sort(all.begin(), all.begin() + k, all.end());
      for (std::int64_t r = 0; r < k; ++r) {
        ASSERT_EQ(found[u][r].item, all[r].item) << "user " << first_user + u << ", rank " << r;
        ASSERT_EQ(found[u][r].score, all[r].score);
      }
    }
  }
}

}  // namespace
}  // namespace cohort
