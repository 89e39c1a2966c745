// Users folded in and placed, against dense arithmetic in float64. Every rank knows all of it and hands over its block
// only; what one rank alone computes must be had to the bit by any number.
#include "assign/fold_in.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "assign/assignment.hpp"
#include "cluster/kmeans.hpp"
#include "support/fold_in_reference.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(FoldIn, IsTheFormulaAndGivesBackTrainedUsers) {
  const auto comm = Communicator::world();
  struct Shape {
    std::int64_t layers, columns;
  };
  for (const auto [layers, columns] : {Shape{0, 10}, {1, 33}, {3, 33}}) {
    const Reference reference(layers, columns);
    const auto n = reference.neighbourhood();
    const double scale = reference.scale();
    const auto alone =
        fold(Communicator::self(), reference, Distribution::even(users, 1), Distribution::even(items, 1));
    for (std::size_t cut = 0; cut < 2; ++cut) {
      const auto user_blocks = cuts(comm, users)[cut];
      const auto item_blocks = cuts(comm, items)[cut];
      const auto folded = fold(comm, reference, user_blocks, item_blocks);
      ASSERT_EQ(folded.rows.rows(), user_blocks.count(comm.rank()));
      for (std::int64_t r = 0; r < folded.rows.rows(); ++r) {
        const auto user = user_blocks.begin(comm.rank()) + r;
        const auto u = static_cast<std::size_t>(user);
        for (std::size_t j = 0; j < n[u].size(); ++j) {
          const double found = folded.rows.row(r)[j];
          ASSERT_EQ(folded.rows.row(r)[j], alone.rows.row(user)[j]) << "the bits depend on the ranks";
          ASSERT_NEAR(found, scale * n[u][j], 1e-5);
          // With its own E_u the user is what training made of it.
          if (layers > 0) {
            const double with_own = (reference.base[u][j] + found / scale) / static_cast<double>(layers + 1);
            ASSERT_NEAR(with_own, reference.trained[u][j], 1e-5);
          }
        }
      }
      for (std::int64_t r = 0; r < folded.table.rows.rows(); ++r) {
        const auto item = item_blocks.begin(comm.rank()) + r;
        const auto i = static_cast<std::size_t>(item);
        std::int64_t count = 0;
        for (std::size_t u = 0; u < users; ++u) count += reference.edges[u][i] > 0 ? 1 : 0;
        ASSERT_EQ(folded.table.users[r], count);
        for (std::int64_t j = 0; j < columns; ++j) {
          const double degree = reference.degree[users + i];
          const double expected = degree > 0 ? scale * reference.below[users + i][j] / std::sqrt(degree) : 0.0;
          ASSERT_EQ(folded.table.rows.row(r)[j], alone.table.rows.row(item)[j]);
          ASSERT_NEAR(folded.table.rows.row(r)[j], expected, 1e-5);
        }
      }
    }
  }
}

TEST(FoldIn, OneUserHasTheBitsOfMany) {
  const auto comm = Communicator::world();
  const Reference reference(2, 33);
  const auto alone = fold(Communicator::self(), reference, Distribution::even(users, 1), Distribution::even(items, 1));
  const auto edges = block_of(reference.edges, Distribution::even(users, 1), 0);
  for (std::int64_t u = 0; u < users; ++u) {
    std::vector<LocalRow> item;
    std::vector<float> weight;
    for (auto k = edges.row_begin[u]; k < edges.row_begin[u + 1]; ++k) {
      item.emplace_back(static_cast<std::int32_t>(edges.other[k]));
      weight.push_back(edges.weight[k]);
    }
    Matrix row(1, 33);
    fold_in_row(alone.table.rows.view(), item, weight, row.row(0));
    for (std::int64_t j = 0; j < row.stride(); ++j) EXPECT_EQ(row.row(0)[j], alone.rows.row(u)[j]);
  }
}

TEST(Placement, IsWhatKmeansSays) {
  const auto comm = Communicator::self();
  auto dense = random_dense(60, 10, 3);
  std::ranges::fill(dense[7], 0.0);
  const auto rows = block_of_rows(dense, 0, 60, 10);
  std::vector<NodeId> id;
  for (std::int64_t i = 0; i < 60; ++i) id.emplace_back(i);
  const ShardLayout layout{Distribution::even(1, 1), {0, 60}};
  const std::vector<std::int64_t> shard_begin{0, 60};
  for (const bool spherical : {false, true}) {
    for (const std::int64_t count : {1, 2, 5}) {
      KmeansOptions options;
      options.count = count;
      options.spherical = spherical;
      const auto expected = kmeans(comm, {rows.view(), id, shard_begin, &layout}, options);
      for (std::int64_t i = 0; i < 60; ++i) {
        const auto found = place(rows.row(i), expected.centroid.view(), spherical);
        const auto at = static_cast<std::size_t>(i);
        EXPECT_EQ(found.segment, expected.segment[at]) << i;
        EXPECT_EQ(found.distance, expected.distance[at]) << i;
        EXPECT_EQ(found.margin, expected.margin[at]) << i;
      }
    }
  }
  // Two equal centroids: the first, without a margin.
  const auto twice = block_of_rows({dense[0], dense[1], dense[1]}, 0, 3, 10);
  const auto found = place(rows.row(1), twice.view(), false);
  EXPECT_EQ(found.segment, 1);
  EXPECT_EQ(found.margin, 0.0F);
}

}  // namespace
}  // namespace cohort
