// Numbers and nouns in messages.
#include "core/words.hpp"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(Words, OneIsSingular) {
  EXPECT_EQ(counted(1, "rank"), "1 rank");
  EXPECT_EQ(counted(0, "rank"), "0 ranks");
  EXPECT_EQ(counted(2, "rank"), "2 ranks");
  EXPECT_EQ(counted(-1, "rank"), "-1 ranks");
  EXPECT_EQ(counted(1, "category", "categories"), "1 category");
  EXPECT_EQ(counted(21, "category", "categories"), "21 categories");
  EXPECT_EQ(noun(1, "user"), "user");
  EXPECT_EQ(noun(3, "user"), "users");
}

TEST(Words, ThousandsHaveCommas) {
  EXPECT_EQ(counted(1000, "user"), "1,000 users");
  EXPECT_EQ(counted(1234567, "user"), "1,234,567 users");
  EXPECT_EQ(with_commas(-1234), "-1,234");
  EXPECT_EQ(with_commas(999), "999");
}

}  // namespace
}  // namespace cohort
