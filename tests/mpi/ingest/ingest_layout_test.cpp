// What is read of files whose layout has to be told, and what is said about it: the tables themselves, at any number of
// ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/error.hpp"
#include "ingest/prepare.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

InputConfig reading(std::vector<std::string> interactions, std::vector<std::string> social = {}) {
  InputConfig input;
  input.interactions = std::move(interactions);
  input.social = std::move(social);
  return input;
}

struct Read {
  Whole tables;
  PrepareStats stats;
  std::vector<std::string> warnings;  // before and after reading

  bool warns(const std::string& part) const {
    return std::ranges::any_of(warnings, [&](const auto& text) { return text.find(part) != std::string::npos; });
  }
};

Read read(const InputConfig& input) {
  auto result = prepare(world(), input, {}, {}, 42);
  Read read{whole(result.dataset), std::move(result.stats), {}};
  for (const auto* warnings :
       {&read.stats.input.warnings, &read.stats.interactions.warnings, &read.stats.social.warnings}) {
    read.warnings.insert(read.warnings.end(), warnings->begin(), warnings->end());
  }
  return read;
}

/// By append: GCC 12 takes "text" + a temporary string in a loop for overlapping memory.
std::string numbered(std::string text, int number) {
  return text.append(std::to_string(number));
}

std::string many_lines(const std::string& separator) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += numbered("u", i % 20) + separator + numbered("i", i % 30) + "\n";
  }
  return text;
}

TEST(Layouts, RecBoleByNamesAndIdsWithColons) {
  const Scratch scratch;
  const auto yelp =
      read(reading({scratch.write("yelp.inter",
                                  "review_id:token\tuser_id:token\tbusiness_id:token\tstars:float\tdate:float\n"
                                  "r1\tu1\tb1\t5\t100\nr2\tu1\tb2\t3\t200\nr3\tu2\tb1\t4\t300\n")}));
  EXPECT_EQ(yelp.tables.users, (std::vector<std::string>{"u1", "u2"}));
  EXPECT_EQ(yelp.tables.items, (std::vector<std::string>{"b1", "b2"}));
  EXPECT_EQ(yelp.tables.interactions.at({"u1", "b2"}), std::pair(3.0F, 200.0));
  const auto colons =
      read(reading({scratch.write("c.tsv", "user:1\titem:7\t5\nuser:2\titem:7\t3\nuser:1\titem:8\t2\n")}));
  EXPECT_EQ(colons.tables.interactions.size(), 3U);
  EXPECT_EQ(colons.tables.interactions.at({"user:1", "item:7"}).first, 5.0F);
}

TEST(Layouts, HeadersAreNeverUsers) {
  const Scratch scratch;
  const auto told = read(reading({scratch.write("t.csv", "holder,thing\n" + many_lines(","))},
                                 {scratch.write("s.csv", "person,buddy\nu1,u2\nu2,u3\n")}));
  EXPECT_EQ(told.tables.users.size(), 20U);
  EXPECT_EQ(told.tables.items.size(), 30U);
  EXPECT_EQ(told.tables.social.size(), 4U);
  // In the middle of a file, twice; with a weight, where the line would be malformed.
  const auto again = read(reading({scratch.write(
      "m.csv",
      "item_id,user_id,rating\ni1,u1,5\r\nitem_id,user_id,rating\r\ni2,u2,3\nitem_id,user_id,rating\ni1,u2,4\n")}));
  EXPECT_EQ(again.tables.users, (std::vector<std::string>{"u1", "u2"}));
  EXPECT_EQ(again.tables.interactions.size(), 3U);
  EXPECT_EQ(again.stats.interactions.repeated_headers, 2);
  EXPECT_TRUE(again.warns("2 lines repeat the header"));
  const auto packed = read(reading({scratch.write("m.tsv.gz", gzipped("user\titem\nu1\ti1\nuser\titem\nu2\ti1\n"))}));
  EXPECT_EQ(packed.tables.users, (std::vector<std::string>{"u1", "u2"}));
  // Words above words: nothing tells, so it is said.
  const auto words = read(reading({scratch.write("w.csv", "holder,thing\na,x\nb,y\na,y\n")}));
  EXPECT_TRUE(words.warns("input.header = true"));
  auto settled = reading({scratch.path("w.csv")});
  settled.header = true;
  EXPECT_EQ(read(settled).tables.users, (std::vector<std::string>{"a", "b"}));
  settled.header = false;
  EXPECT_FALSE(read(settled).warns("input.header"));
  EXPECT_EQ(read(settled).tables.users.size(), 3U);
  const auto friends = read(reading({}, {scratch.write("f.csv", "holder,thing\na,x\nb,y\nx,b\n")}));
  EXPECT_TRUE(friends.warns("input.header = true"));
  EXPECT_FALSE(read(reading({scratch.write("n.csv", "anna,milk\nbob,milk\nanna,bread\n")})).warns("input.header"));
}

TEST(Layouts, PartsOfAListShareAHeader) {
  const Scratch scratch;
  const auto first = scratch.write("1.csv", "item_id,user_id\ni1,u1\n");
  const auto second = scratch.write("2.csv", "i2,u2\nitem_id,user_id\ni1,u2\n");
  const auto both = read(reading({first, second}));
  EXPECT_EQ(both.tables.users, (std::vector<std::string>{"u1", "u2"}));
  EXPECT_EQ(both.tables.items, (std::vector<std::string>{"i1", "i2"}));
  const auto odd = scratch.write("3.tsv", "u3\ti3\t1\n");
  EXPECT_TRUE(read(reading({first, second, odd})).warns("3.tsv: is written differently from"));
  // What joins badly: ids filled up with zeros in one file alone, and times of which some are dates and some are none.
  const auto bare = scratch.write("4.csv", "user,item,time\n12,1,1500000000\n7,2,1500000001\n");
  const auto padded = scratch.write("5.csv", "user,item,time\n00012,1,1500000000\n00007,2,1500000001\n");
  EXPECT_TRUE(read(reading({bare, padded})).warns("ids such as 00012, not 12"));
  EXPECT_TRUE(read(reading({padded, bare})).warns("ids such as 12, not 00012"));
  EXPECT_FALSE(
      read(reading({padded, scratch.write("6.csv", "user,item,time\n12345,1,1500000000\n")})).warns("differently"));
  const auto days = scratch.write("7.csv", "user,item,time\n12,1,17372\n7,2,17373\n");
  EXPECT_TRUE(read(reading({bare, days})).warns("7.csv: is written differently from"));
  EXPECT_TRUE(read(reading({bare, days})).warns("times that are no dates"));
  EXPECT_TRUE(read(reading({days, bare})).warns("times that are dates"));
}

TEST(Layouts, TimesOfPartsThatOnlyCountAreAlike) {
  const Scratch scratch;
  const auto part = [&](const std::string& name, const std::string& first, const std::string& second) {
    return scratch.write(name, "user,item,time\n1,1," + first + "\n2,2," + second + "\n");
  };
  const auto zero = part("0.csv", "0", "0");
  const auto one = part("1.csv", "86400", "86401");
  const auto none = part("2.csv", "", "");
  const auto year = part("3.csv", "99999990", "99999999");
  const auto next_year = part("4.csv", "131556952", "131556953");
  for (const auto& files : {std::vector{zero, one}, {one, zero}, {one, none}, {none, one}, {year, next_year}}) {
    EXPECT_FALSE(read(reading(files)).warns("differently")) << files[0];
  }
  EXPECT_FALSE(read(reading({year, next_year})).warns("of the year"));
  EXPECT_TRUE(read(reading({next_year, year})).warns("of the year 1974"));
}

TEST(Layouts, WhatWasUnderstoodIsSaidForEachFile) {
  const Scratch scratch;
  const auto path = scratch.write("p.csv", "price,customer,sku,qty\n9.5,c1,s1,2\n1.5,c2,s1,1\n");
  const auto friends = scratch.write("f.tsv", "c1\tc2\n");
  std::vector<std::string> seen;
  prepare(world(), reading({path}, {friends}), {}, {}, 1, [&](const InputReport& report) { seen = report.files; });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0],
            path + ": csv, columns by comma; a header; user: column 1 (\"customer\"), e.g. \"c1\"; item: column 2 " +
                "(\"sku\"), e.g. \"s1\"; weight: column 3 (\"qty\"), e.g. \"2\"; time: none; event: none; not " +
                "used: column 0 (\"price\")");
  EXPECT_EQ(seen[1], friends +
                         ": tsv, columns by tab; no header; source: column 0, e.g. \"c1\"; target: column 1, e.g. " +
                         "\"c2\"; weight: none; not used: none");
  std::vector<std::string> many;
  for (int i = 0; i < 30; ++i) many.push_back(scratch.write(numbered("m", i) + ".tsv", numbered("a\t", i) + "\n"));
  EXPECT_EQ(read(reading(many)).stats.input.files.size(), 9U);
}

TEST(Layouts, FilesGivenTwiceAndSinglesAreWarnedOf) {
  const Scratch scratch;
  const auto a = scratch.write("a.tsv", many_lines("\t"));
  const auto b = scratch.write("b.tsv", many_lines("\t"));
  EXPECT_TRUE(read(reading({a, a})).warns("is given twice"));
  EXPECT_TRUE(read(reading({a, b})).warns("the same bytes as"));
  auto tested = reading({a});
  tested.test = {b};
  EXPECT_TRUE(read(tested).warns("input.test"));
  EXPECT_TRUE(read(reading({a})).warnings.empty());
  std::string reviews;
  for (int i = 0; i < 40; ++i) reviews += numbered("r", i) + numbered("\tu", i % 5) + "\n";
  const auto singles = read(reading({scratch.write("r.tsv", reviews)}, {scratch.write("s.tsv", "r1\tr2\nx\ty\n")}));
  EXPECT_TRUE(singles.warns("every user"));
  EXPECT_TRUE(singles.warns("input.columns.user"));
  EXPECT_FALSE(singles.warns("every item"));
}

TEST(Layouts, GzipUnderAnotherNameIsReadAndOtherBytesAreNamed) {
  const Scratch scratch;
  EXPECT_EQ(read(reading({scratch.write("packed.tsv", gzipped(many_lines("\t")))})).tables.users.size(), 20U);
  const auto refused = [&](const std::string& name, const std::string& content) {
    try {
      prepare(world(), reading({scratch.write(name, content)}), {}, {}, 1);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused("lines.csv", "[[\"u1\", \"i1\"]]\n").find("JSON"), std::string::npos);
  EXPECT_NE(refused("table.gz", gzipped("PAR1\x15\x04")).find("Parquet"), std::string::npos);
  EXPECT_EQ(refused("semi.txt", "a;b;1\n"), "");
}

TEST(Layouts, RealDataRaisesNoAlarm) {
  const auto* directory = std::getenv("COHORT_SHARED_DATA");
  if (!directory || !std::filesystem::is_directory(directory)) {
    GTEST_SKIP() << "COHORT_SHARED_DATA names no directory: the shared data sets are not here";
  }
  const auto file = [&](const std::string& name) { return std::vector<std::string>{directory + ("/" + name)}; };
  const auto quiet = [&](const InputConfig& input) {
    const auto result = read(input);
    for (const auto& warning : result.warnings) ADD_FAILURE() << warning;
  };
  quiet(reading(file("lastfm/lastfm.inter.gz"), file("lastfm/lastfm.net")));
  quiet(reading(file("ml-100k/ml-100k.inter.gz")));
  quiet(reading(file("lastfm/lightgcn-split/data1.txt.gz"), file("lastfm/lightgcn-split/trustnetwork.txt")));
  for (const std::string name : {"citeulike", "amazon-beauty"}) {
    auto split = reading(file(name + "/train.tsv.gz"));
    split.test = file(name + "/test.tsv.gz");
    quiet(split);
    quiet(reading(file(name + "/valid.tsv.gz")));
  }
  auto lists = reading(file("gowalla/train.txt.gz"));
  lists.test = file("gowalla/test.txt.gz");
  quiet(lists);
  auto films = reading(file("filmtrust/ratings.txt.gz"), file("filmtrust/trust.txt"));
  films.format = InputFormat::ssv;
  quiet(films);
  for (const std::string name : {"cora/edges.txt", "pubmed/edges.txt.gz", "football/edges.txt"}) {
    quiet(reading({}, file(name)));
  }
}

}  // namespace
}  // namespace cohort
