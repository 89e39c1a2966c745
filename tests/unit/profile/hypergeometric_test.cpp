// The tail of the hypergeometric distribution against exact sums of whole numbers and against values of another
// library; Benjamini-Hochberg against the example of its paper.
#include "profile/hypergeometric.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace cohort {
namespace {

// Pascal's triangle; exact in 64 bits up to 60 over 30.
std::int64_t choose(std::int64_t n, std::int64_t k) {
  if (k < 0 || k > n) return 0;
  std::vector<std::int64_t> row{1};
  for (std::int64_t i = 0; i < n; ++i) {
    row.push_back(1);
    for (std::size_t j = row.size() - 2; j > 0; --j) row[j] += row[j - 1];
  }
  return row[k];
}

TEST(HypergeometricTail, EqualsTheExactSum) {
  for (const std::int64_t population : {1, 2, 7, 20, 40}) {
    for (std::int64_t marked = 0; marked <= population; marked += 1 + population / 9) {
      for (std::int64_t draws = 0; draws <= population; draws += 1 + population / 7) {
        for (std::int64_t hits = -1; hits <= draws + 1; ++hits) {
          std::int64_t ways = 0;
          for (std::int64_t x = std::max<std::int64_t>(hits, 0); x <= draws; ++x) {
            ways += choose(marked, x) * choose(population - marked, draws - x);
          }
          const double exact = static_cast<double>(ways) / static_cast<double>(choose(population, draws));
          EXPECT_NEAR(hypergeometric_tail(hits, population, marked, draws), exact, 1e-12 + 1e-11 * exact)
              << hits << " of " << draws << " out of " << marked << " in " << population;
        }
      }
    }
  }
}

// scipy.stats.hypergeom.sf(hits - 1, population, marked, draws), scipy 1.17.1.
TEST(HypergeometricTail, EqualsScipyOnLargeNumbers) {
  const auto near = [](double found, double expected) { EXPECT_NEAR(found / expected, 1, 1e-6); };
  near(hypergeometric_tail(40, 1'000'000, 1'000, 20'000), 4.296137820518253e-05);
  near(hypergeometric_tail(12, 100'000, 200, 5'000), 0.3001222026186954);
  near(hypergeometric_tail(2'100, 20'000'000, 1'000'000, 40'000), 0.011578752111096574);
  near(hypergeometric_tail(1'950, 20'000'000, 1'000'000, 40'000), 0.8771641177448093);
  near(hypergeometric_tail(3, 500, 4, 100), 0.026661638226393395);
  near(hypergeometric_tail(800, 4'000, 2'000, 1'500), 0.0006100606356404834);
}

TEST(HypergeometricTail, FallsToNothing) {
  double before = 1;
  for (std::int64_t hits = 0; hits <= 1'000; hits += 10) {
    const double tail = hypergeometric_tail(hits, 100'000, 1'000, 50'000);
    EXPECT_LE(tail, before);
    EXPECT_GE(tail, 0);
    before = tail;
  }
  EXPECT_EQ(hypergeometric_tail(1'001, 100'000, 1'000, 50'000), 0);
  EXPECT_EQ(hypergeometric_tail(0, 0, 0, 0), 1);
  EXPECT_EQ(hypergeometric_tail(1, 0, 0, 0), 0);
}

// Section 3.1 of the paper: of fifteen p-values the four smallest are rejected at 0.05, where Bonferroni rejects three.
TEST(BenjaminiHochberg, ThePapersExample) {
  const std::vector<double> p{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                              0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0};
  EXPECT_EQ(benjamini_hochberg(p, 0.05), (std::vector<std::int32_t>{1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(BenjaminiHochberg, StepsUpAndKeepsTheOrder) {
  // 0.04 is above its own line 0.05 * 3 / 4, but the last value is below 0.05: all are rejected.
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.05, 0.01, 0.04, 0.02}, 0.05),
            (std::vector<std::int32_t>{1, 1, 1, 1}));
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.9, 0.001, 0.5}, 0.05), (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.9, 0.06}, 0.05), (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.0, 0.5}, 0.0), (std::vector<std::int32_t>{1, 0}));
  EXPECT_TRUE(benjamini_hochberg({}, 0.05).empty());
}

}  // namespace
}  // namespace cohort
