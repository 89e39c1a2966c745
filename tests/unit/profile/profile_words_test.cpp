// The line of words on a segment, from tables that are written down by hand.
#include <gtest/gtest.h>

#include "profile/profile_parts.hpp"

namespace cohort {
namespace {

struct Mark {
  std::string name;
  double lift = 1;
  double share = 0.5;
  bool marking = true;
  std::string attribute = "genre";
};

MarkTable table_of(const std::vector<Mark>& marks, bool tested) {
  MarkTable table;
  table.row_begin = {0, std::ssize(marks)};
  for (const auto& mark : marks) {
    table.name.push_back(mark.name);
    table.attribute.push_back(mark.attribute);
    table.lift.push_back(mark.lift);
    table.share.push_back(mark.share);
    if (tested) table.marking.push_back(mark.marking ? 1 : 0);
  }
  return table;
}

struct Told {
  std::vector<Mark> items = {};
  std::vector<Mark> categories = {};
  std::vector<Mark> user_categories = {};
  bool tested = true;
  double mean_interactions = 20;
  std::int64_t users = 1200;
};

// One segment of a population of 2,400 users with 20 interactions each.
std::string words(const Told& told) {
  Dataset dataset;
  dataset.users.distribution = Distribution::even(2400, 1);
  Segments segments;
  segments.size = {told.users};
  Profiles profiles;
  profiles.tested = {told.tested ? 10 : 0, 0};
  profiles.interactions = {48000};
  profiles.mean_interactions = {told.mean_interactions};
  profiles.items = table_of(told.items, told.tested);
  profiles.categories = table_of(told.categories, told.tested);
  profiles.user_categories = table_of(told.user_categories, false);
  describe_segments({&dataset, &segments}, profiles);
  return profiles.description.at(0);
}

TEST(ProfileWords, NamesWhatHasAClearLiftTheLargestFirst) {
  EXPECT_EQ(words({.items = {{"weak", 1.07}, {"least", 1.2}, {"below", 1.1999}, {"strong", 3}}}),
            "1,200 users (50.0 % of all), 20 items each; marked by strong, least");
  // A small share is no reason to be silent.
  EXPECT_EQ(words({.categories = {{"common", 1.3, 0.4}, {"rare", 4, 0.01}}}),
            "1,200 users (50.0 % of all), 20 items each; marked by rare, common");
  EXPECT_EQ(words({.items = {{"a film", 2}}, .categories = {{"drama", 1.5}, {"1944", 2.6, 0.02, true, "year"}}}),
            "1,200 users (50.0 % of all), 20 items each; marked by year 1944, drama; e.g. a film");
}

TEST(ProfileWords, WhatTheTestHasNotBorneOutIsNotNamed) {
  EXPECT_EQ(words({.items = {{"chance", 9, 0.5, false}, {"borne out", 1.5}}}),
            "1,200 users (50.0 % of all), 20 items each; marked by borne out");
  EXPECT_EQ(words({.items = {{"chance", 9, 0.5, false}}}),
            "1,200 users (50.0 % of all), 20 items each; nothing marks it");
  EXPECT_EQ(words({.categories = {{"weak", 1.07}}}), "1,200 users (50.0 % of all), 20 items each; nothing marks it");
}

TEST(ProfileWords, WithoutATestItIsOften) {
  EXPECT_EQ(words({.items = {{"one", 1.5}, {"two", 2}}, .tested = false}),
            "1,200 users (50.0 % of all), 20 items each; often two, one");
  EXPECT_EQ(words({.items = {{"one", 1.1}}, .tested = false}),
            "1,200 users (50.0 % of all), 20 items each; it has nothing clearly more often");
}

TEST(ProfileWords, TiesStayInTheTablesOrderAndThreeAreNamed) {
  EXPECT_EQ(words({.items = {{"a", 2}, {"b", 3}, {"c", 2}, {"d", 2}, {"e", 1.5}}}),
            "1,200 users (50.0 % of all), 20 items each; marked by b, a, c");
}

TEST(ProfileWords, NamesThatSeparateStandInQuotes) {
  EXPECT_EQ(
      words({.items = {{"Postino, Il", 3}, {"12 \"angry\", men", 2}, {"say \"hi\"", 1.5}}}),
      "1,200 users (50.0 % of all), 20 items each; marked by \"Postino, Il\", \"12 \"\"angry\"\", men\", say \"hi\"");
  EXPECT_EQ(words({.user_categories = {{"north; east", 2, 0.5, true, "town"}}}),
            "1,200 users (50.0 % of all), 20 items each; more often town \"north; east\"");
}

TEST(ProfileWords, OnlyActivityOffTheAverageHasAWord) {
  EXPECT_EQ(words({.items = {{"x", 2}}, .mean_interactions = 25}),
            "1,200 users (50.0 % of all), active (25 items each); marked by x");
  EXPECT_EQ(words({.items = {{"x", 2}}, .mean_interactions = 9.5}),
            "1,200 users (50.0 % of all), less active (9.5 items each); marked by x");
  EXPECT_EQ(words({.items = {{"x", 2}}, .users = 1}), "1 user (0.0 % of all), 20 items each; marked by x");
}

}  // namespace
}  // namespace cohort
