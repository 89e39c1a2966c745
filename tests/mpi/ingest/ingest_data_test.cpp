// The real files in COHORT_SHARED_DATA against the counts that its README states.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ingest/prepare.hpp"
#include "ingest/records/label_file.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using testing_support::world;

class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const auto* directory = std::getenv("COHORT_SHARED_DATA");
    if (!directory || !std::filesystem::is_directory(directory)) {
      GTEST_SKIP() << "COHORT_SHARED_DATA names no directory: the shared data sets are not here";
    }
    directory_ = directory;
  }
  std::vector<std::string> file(const std::string& name) const { return {directory_ + "/" + name}; }

  struct Counts {
    std::int64_t users, items, interactions, edges;
    bool operator==(const Counts&) const = default;
    friend void PrintTo(const Counts& c, std::ostream* out) {
      *out << c.users << " users, " << c.items << " items, " << c.interactions << " interactions, " << c.edges
           << " edges";
    }
  };
  static Counts counts(const Dataset& dataset) {
    return {dataset.users.total(), dataset.items.total(), world().sum(dataset.interactions.size()),
            world().sum(dataset.social.size()) / 2};
  }

 private:
  std::string directory_;
};

TEST_F(RealData, LastFm) {
  InputConfig input;
  input.interactions = file("lastfm/lastfm.inter.gz");
  input.social = file("lastfm/lastfm.net");
  const auto result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(counts(result.dataset), (Counts{1892, 17632, 92834, 12717}));
}

TEST_F(RealData, LastFmSplit) {
  InputConfig input;
  input.interactions = file("lastfm/lightgcn-split/data1.txt.gz");
  input.interactions.push_back(file("lastfm/lightgcn-split/test1.txt").front());
  auto result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(counts(result.dataset), (Counts{1880, 4489, 42135 + 10533, 0})) << "the README counts both parts";
  input.interactions.pop_back();
  input.test = file("lastfm/lightgcn-split/test1.txt");
  input.social = file("lastfm/lightgcn-split/trustnetwork.txt");
  result = prepare(world(), input, {SocialOnlyUsers::drop, 1, 1, 0, 0}, {}, 1);
  EXPECT_EQ(counts(result.dataset).users, 1878);
  EXPECT_EQ(counts(result.dataset).items, 4476);
  EXPECT_EQ(counts(result.dataset).interactions, 42135);
  EXPECT_EQ(result.stats.holdout.read.records, 10533);
  EXPECT_EQ(result.stats.holdout.pairs + result.stats.holdout.unknown_user_pairs, 10533);
  result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(world().sum(result.dataset.social.size()) / 2, 12717);
}

TEST_F(RealData, Gowalla) {
  InputConfig input;
  input.interactions = file("gowalla/train.txt.gz");
  input.test = file("gowalla/test.txt.gz");
  const auto result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(counts(result.dataset), (Counts{29858, 40981, 810128, 0}));
  EXPECT_EQ(result.stats.holdout.pairs, 217242);
  EXPECT_EQ(result.stats.holdout.unknown_item_pairs, 0);
}

TEST_F(RealData, MovieLens100k) {
  InputConfig input;
  input.interactions = file("ml-100k/ml-100k.inter.gz");
  const auto result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(counts(result.dataset), (Counts{943, 1682, 100000, 0}));
  EXPECT_EQ(world().any(result.dataset.interactions.time.empty() && result.dataset.interactions.size() > 0), false);
  GraphConfig strong;
  strong.min_weight = 4;
  EXPECT_EQ(prepare(world(), input, {}, strong, 1).stats.interactions.below_min_weight, 100000 - 55375);
}

TEST_F(RealData, MovieLens100kOverTime) {
  InputConfig input;
  input.interactions = file("ml-100k/ml-100k.inter.gz");
  input.holdout = 0.1;
  input.holdout_split = HoldoutSplit::temporal;
  GraphConfig graph;
  graph.weight = EdgeWeighting::raw;
  graph.half_life = 30;
  const auto result = prepare(world(), input, {}, graph, 1);
  // Found with sort and awk: the 90,000th of the times, later than which are 10,000 ratings; 76 users have only such.
  EXPECT_EQ(result.stats.holdout.cut, std::optional(891382267.0));
  EXPECT_EQ(result.stats.holdout.users_after_cut, 76);
  EXPECT_EQ(result.stats.holdout.pairs, 10'000 - 76);
  EXPECT_EQ(counts(result.dataset), (Counts{943, 1682, 90'076, 0}));
  EXPECT_EQ(result.stats.clean.decayed, 0);
}

// Three columns by blanks, with ratings of a half: its format is told by them, and is what input.format would say.
TEST_F(RealData, FilmTrust) {
  InputConfig input;
  input.interactions = file("filmtrust/ratings.txt.gz");
  input.social = file("filmtrust/trust.txt");
  for (const auto format : {InputFormat::automatic, InputFormat::ssv}) {
    input.format = format;
    const auto result = prepare(world(), input, {SocialOnlyUsers::drop, 1, 1, 0, 0}, {}, 1);
    EXPECT_EQ(result.dataset.users.total(), 1508);
    EXPECT_EQ(result.dataset.items.total(), 2071);
    EXPECT_EQ(world().sum(result.dataset.interactions.size()), 35494);
    EXPECT_EQ(result.stats.social.lines, 1853);
  }
}

TEST_F(RealData, NodeLabelSets) {
  struct Set {
    const char* edges;
    const char* labels;
    Counts counts;
    std::size_t classes;
  };
  for (const auto& set : {Set{"cora/edges.txt", "cora/labels.txt", {2708, 0, 0, 5278}, 7},
                          Set{"pubmed/edges.txt.gz", "pubmed/labels.txt", {19717, 0, 0, 44324}, 3},
                          Set{"football/edges.txt", "football/labels.txt", {115, 0, 0, 613}, 12}}) {
    InputConfig input;
    input.social = file(set.edges);
    const auto result = prepare(world(), input, {}, {}, 1);
    EXPECT_EQ(counts(result.dataset), set.counts);
    const auto labels = read_labels(world(), result.dataset.users, file(set.labels).front());
    EXPECT_EQ(labels.names.size(), set.classes);
    EXPECT_EQ(labels.labelled, set.counts.users);
    EXPECT_EQ(labels.unknown_users, 0);
  }
}

}  // namespace
}  // namespace cohort
