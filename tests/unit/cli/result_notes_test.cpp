// What is said of a result: each sentence on its side of the limit, by numbers worked out by hand.
#include "cli/output/result_notes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace cohort {
namespace {

using Losses = std::vector<double>;

bool says(const std::vector<std::string>& notes, const std::string& word) {
  for (const auto& note : notes) {
    if (note.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(LossFall, IsTheMeanOfTheLastThreeEpochs) {
  EXPECT_NEAR(loss_fall(Losses{9, 1.0, 0.99, 0.98, 0.97}), 0.01, 1e-12);
  EXPECT_NEAR(loss_fall(Losses{1.0, 0.9}), 0.1, 1e-12);
  EXPECT_NEAR(loss_fall(Losses{2.0, 1.9, 1.8}), 0.05, 1e-12);
  EXPECT_NEAR(loss_fall(Losses{-1.0, -1.1}), 0.1, 1e-12);  // a loss below 0 falls too
  EXPECT_EQ(loss_fall(Losses{0.5}), 0);
  EXPECT_EQ(loss_fall(Losses{}), 0);
  EXPECT_LT(loss_fall(Losses{1.0, 1.2, 1.4}), 0);
}

TEST(LossRose, NeedsThreeInARow) {
  EXPECT_EQ(loss_rose(Losses{1, 1.1, 1.2, 1.3}), 4);
  EXPECT_EQ(loss_rose(Losses{1, 1.1, 1.2}), 0);
  EXPECT_EQ(loss_rose(Losses{1, 1.1, 1.2, 0.9, 1.1, 1.2}), 0);
  EXPECT_EQ(loss_rose(Losses{1, 0.9, 1.1, 1.2, 1.3, 1.4}), 5);
  EXPECT_EQ(loss_rose(Losses{1, 1, 1, 1, 1}), 0);
  EXPECT_EQ(loss_rose(Losses{}), 0);
  EXPECT_NE(loss_warning(Losses{1, 1.1, 1.2, 1.3}).find("epochs 2 to 4"), std::string::npos);
  EXPECT_EQ(loss_warning(Losses{1, 0.9}), "");
}

TEST(ResultNotes, EachOnItsSideOfTheLimit) {
  const Losses flat{0.5, 0.5, 0.5, 0.5};
  EXPECT_TRUE(result_notes(0.05, 0.2, flat).empty());
  EXPECT_TRUE(result_notes(std::numeric_limits<double>::quiet_NaN(), std::nullopt, {}).empty());
  EXPECT_TRUE(says(result_notes(0.049, 0.2, flat), "silhouette"));
  EXPECT_TRUE(says(result_notes(-0.3, std::nullopt, flat), "silhouette"));
  EXPECT_TRUE(says(result_notes(0.5, 0.44, flat), "44 % of the variance of log activity"));
  EXPECT_TRUE(says(result_notes(0.5, 0.1, Losses{1, 0.9, 0.8, 0.7}), "falling by 10.0 % an epoch"));
  EXPECT_TRUE(says(result_notes(0.5, 0.1, Losses{1, 2, 3, 4}), "above that of the first"));
  EXPECT_EQ(result_notes(0.01, 0.3, Losses{1, 0.9}).size(), 3U);
}

}  // namespace
}  // namespace cohort
