// Counter-based random numbers, the pseudorandom permutation, the fixed reduction tree, the padded matrix.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/matrix.hpp"
#include "core/random.hpp"
#include "core/shard_tree.hpp"

namespace cohort {
namespace {

// Known answers of Philox4x32-10 from the authors' Random123 distribution (kat_vectors): counter and key all zero, and
// the digits of pi. The purpose is the counter's last word.
TEST(CounterRandom, MatchesPublishedVectors) {
  const CounterRandom zero(0, Purpose{0});
  EXPECT_EQ(zero.words(0, 0), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const CounterRandom ones(0xffffffffffffffffULL, Purpose{0xffffffff});
  EXPECT_EQ(ones.words(0xffffffffffffffffULL, 0xffffffff),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  const CounterRandom pi(0x299f31d0a4093822ULL, Purpose{0x03707344});
  EXPECT_EQ(pi.words(0x85a308d3243f6a88ULL, 0x13198a2e),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRandom, UniformAndNormalHaveTheirMoments) {
  const CounterRandom random(7, Purpose::embedding_init);
  const int n = 200000;
  double sum = 0;
  double normal_sum = 0;
  double normal_square = 0;
  for (int i = 0; i < n; ++i) {
    sum += random.uniform(static_cast<std::uint64_t>(i));
    for (const double z : random.normal(static_cast<std::uint64_t>(i))) {
      normal_sum += z;
      normal_square += z * z;
    }
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal_sum / (2 * n), 0.0, 5 / std::sqrt(2.0 * n));
  EXPECT_NEAR(normal_square / (2 * n), 1.0, 5 * std::sqrt(2.0 / (2 * n)));
}

TEST(CounterRandom, BelowCoversItsRangeEvenly) {
  const CounterRandom random(3, Purpose::sampled_negative);
  std::vector<int> counts(10);
  for (std::uint64_t i = 0; i < 100000; ++i) ++counts[random.below(10, i)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(RandomPermutation, IsABijectionAndDiffersByEpoch) {
  for (const std::uint64_t size : {1ULL, 2ULL, 3ULL, 17ULL, 1000ULL, 4097ULL}) {
    const RandomPermutation first(size, 5, Purpose::interaction_order, 0);
    const RandomPermutation second(size, 5, Purpose::interaction_order, 1);
    std::vector<bool> hit(size);
    std::uint64_t same = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto image = first(i);
      ASSERT_LT(image, size);
      EXPECT_FALSE(hit[image]);
      hit[image] = true;
      EXPECT_EQ(first.inverse(image), i);
      same += image == second(i);
    }
    if (size >= 1000) {
      EXPECT_LT(same, 20U);
    }
  }
}

TEST(RandomPermutation, NeighboursLandFarApart) {
  const std::uint64_t size = 100000;
  const RandomPermutation permutation(size, 5, Purpose::interaction_order, 0);
  double distance = 0;
  for (std::uint64_t i = 0; i + 1 < size; ++i) {
    distance += std::fabs(static_cast<double>(permutation(i)) - static_cast<double>(permutation(i + 1)));
  }
  EXPECT_NEAR(distance / static_cast<double>(size) / static_cast<double>(size), 1.0 / 3, 0.01);
}

// The tree written the other way round: level by level over a padded array.
double level_by_level(std::vector<double> leaves) {
  while (leaves.size() > 1) {
    std::vector<double> next;
    for (std::size_t i = 0; i < leaves.size(); i += 2) {
      next.push_back(i + 1 < leaves.size() ? leaves[i] + leaves[i + 1] : leaves[i]);
    }
    leaves = next;
  }
  return leaves.front();
}

TEST(ShardTree, AnyCutsGiveTheBitsOfTheWholeTree) {
  const CounterRandom random(11, Purpose::quality_sample);
  for (const std::int32_t shards : {1, 2, 3, 7, 16, 37, 64, 100}) {
    std::vector<double> leaves(shards);
    for (std::size_t s = 0; s < leaves.size(); ++s) leaves[s] = std::exp(40 * random.uniform(s) - 20);
    const double expected = level_by_level(leaves);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      std::vector<std::int32_t> cuts{0, shards};
      for (std::uint32_t c = 0; c < trial % 7; ++c) {
        cuts.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(shards) + 1, trial, c + 1)));
      }
      std::sort(cuts.begin(), cuts.end());
      std::vector<ShardBlock> blocks;
      std::vector<double> rows;
      for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
        for (const ShardBlock block : maximal_blocks(cuts[c], cuts[c + 1], shards)) {
          const auto first = static_cast<std::size_t>(cuts[c]);
          double row = 0;
          sum_block(block, shards, std::span<const double>(leaves).subspan(first), cuts[c], 1, {&row, 1});
          blocks.push_back(block);
          rows.push_back(row);
        }
      }
      double result = 0;
      join_blocks(blocks, shards, rows, 1, {&result, 1});
      EXPECT_EQ(result, expected) << shards << " shards, trial " << trial;
    }
  }
}

TEST(Matrix, RowsAreAlignedPaddedAndZero) {
  for (const std::int64_t columns : {1, 10, 16, 33, 64}) {
    Matrix matrix(5, columns);
    EXPECT_EQ(matrix.stride() % 16, 0);
    EXPECT_GE(matrix.stride(), columns);
    EXPECT_LT(matrix.stride(), columns + 16);
    for (std::int64_t r = 0; r < 5; ++r) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.row(r)) % 64, 0U);
      for (std::int64_t c = 0; c < matrix.stride(); ++c) EXPECT_EQ(matrix.row(r)[c], 0.0F);
    }
  }
  Matrix large(1 << 14, 64);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.row(0)) % (2 << 20), 0U);
}

TEST(Check, SaysWhatWhereAndThatItIsOurs) {
  try {
    COHORT_CHECK(1 + 1 == 3, "arithmetic");
    FAIL();
  } catch (const InternalError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("1 + 1 == 3"), std::string::npos);
    EXPECT_NE(message.find("core_test.cpp"), std::string::npos);
    EXPECT_NE(message.find("arithmetic"), std::string::npos);
  }
}

}  // namespace
}  // namespace cohort
