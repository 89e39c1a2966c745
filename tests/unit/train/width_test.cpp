#include <gtest/gtest.h>

#include "train/choices.hpp"

namespace cohort {
namespace {

std::int64_t width(std::int64_t dim, std::int64_t nodes) {
  ModelConfig model;
  model.dim = dim;
  return with_width(model, nodes).dim;
}

TEST(Width, FollowsTheNodesWhereNothingIsSaid) {
  EXPECT_EQ(width(automatic_dim, 1), 64);
  EXPECT_EQ(width(automatic_dim, 19'999), 64);
  EXPECT_EQ(width(automatic_dim, 20'000), 128);
  EXPECT_EQ(width(automatic_dim, 250'000), 128);
  EXPECT_EQ(width(automatic_dim, 250'001), 64);
  for (const std::int64_t nodes : {10, 100'000, 10'000'000}) {
    EXPECT_EQ(width(64, nodes), 64);
    EXPECT_EQ(width(200, nodes), 200);
  }
}

}  // namespace
}  // namespace cohort
