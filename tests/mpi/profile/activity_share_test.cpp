// The share of the variance of log activity between segments against a plain analysis of variance, at any number of
// ranks.
#include "profile/activity_share.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "comm/distribution.hpp"

namespace cohort {
namespace {

struct Population {
  std::vector<std::int64_t> interactions;  // of every user
  std::vector<std::int32_t> segment;
};

double shared_by_ranks(const Communicator& comm, const Population& population, std::int64_t segments) {
  const auto blocks = Distribution::even(std::ssize(population.segment), comm.size());
  std::vector<std::int64_t> row_begin{0};
  std::vector<std::int32_t> segment;
  for (auto user = blocks.begin(comm.rank()); user < blocks.end(comm.rank()); ++user) {
    row_begin.push_back(row_begin.back() + population.interactions[user]);
    segment.push_back(population.segment[user]);
  }
  return activity_share(comm, row_begin, segment, segments);
}

// 1 - (sum of squares within segments) / (sum of squares).
double reference(const Population& population, std::size_t segments) {
  const auto users = population.segment.size();
  std::vector<long double> mean(segments, 0), size(segments, 0);
  long double all = 0;
  for (std::size_t user = 0; user < users; ++user) {
    const auto value = std::log(1 + static_cast<long double>(population.interactions[user]));
    mean[population.segment[user]] += value;
    size[population.segment[user]] += 1;
    all += value;
  }
  for (std::size_t s = 0; s < segments; ++s) mean[s] /= std::max<long double>(size[s], 1);
  all /= static_cast<long double>(users);
  long double within = 0, total = 0;
  for (std::size_t user = 0; user < users; ++user) {
    const auto value = std::log(1 + static_cast<long double>(population.interactions[user]));
    within += std::pow(value - mean[population.segment[user]], 2);
    total += std::pow(value - all, 2);
  }
  return static_cast<double>(1 - within / total);
}

TEST(ActivityShare, IsThatOfAnAnalysisOfVariance) {
  std::mt19937 random(7);
  for (const double strength : {0.0, 0.5, 3.0}) {
    Population population;
    for (int user = 0; user < 3000; ++user) {
      const auto segment = static_cast<std::int32_t>(random() % 4 == 3 ? 5 : random() % 4);  // 4 is empty
      std::geometric_distribution<std::int64_t> draw(1 / (2 + 10 * std::exp(strength * segment)));
      population.segment.push_back(segment);
      population.interactions.push_back(draw(random));
    }
    const auto found = shared_by_ranks(Communicator::world(), population, 6);
    EXPECT_NEAR(found, reference(population, 6), 1e-6);
    EXPECT_EQ(found, shared_by_ranks(Communicator::self(), population, 6));  // in every bit
  }
}

TEST(ActivityShare, EndsAtNothingAndAll) {
  const auto comm = Communicator::world();
  const Population same{{7, 7, 7, 7, 7, 7}, {0, 1, 0, 1, 2, 2}};
  EXPECT_EQ(shared_by_ranks(comm, same, 3), 0);
  const Population apart{{1, 1, 1, 1000, 1000, 0}, {0, 0, 0, 1, 1, 2}};
  EXPECT_NEAR(shared_by_ranks(comm, apart, 3), 1, 1e-6);
  const Population one{{1, 2, 3, 4}, {0, 0, 0, 0}};
  EXPECT_NEAR(shared_by_ranks(comm, one, 1), 0, 1e-6);
}

}  // namespace
}  // namespace cohort
