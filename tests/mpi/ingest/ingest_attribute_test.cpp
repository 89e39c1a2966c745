// Tables of attributes: what becomes of every kind of column, against plain references, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "core/error.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/attribute_file.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// In even blocks, as in a dataset.
IdTable id_table(const std::vector<std::string>& ids) {
  IdTable mine;
  if (world().is_root()) {
    for (const auto& id : ids) mine.push_back(id);
  }
  const auto table = build_dictionary(world(), mine).table;
  return keep_ids(world(), table, std::vector<char>(table.block_size(), 1));
}

std::vector<std::string> numbered(const std::string& prefix, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back(prefix + std::to_string(i));
  return ids;
}

/// What a table says, by id; the same on all ranks.
struct Said {
  std::map<std::string, std::map<std::string, double>> numeric;
  std::map<std::string, std::map<std::string, std::set<std::string>>> category;
  std::map<std::string, std::string> label;
  std::string label_name;
  std::vector<std::string> left_out;
  bool operator==(const Said&) const = default;
};

Said said(const IdTable& ids, const AttributeTable& table) {
  Said result;
  const auto names = whole_ids(ids);
  const auto block = static_cast<std::size_t>(ids.block_size());
  for (const auto& attribute : table.numeric) {
    EXPECT_EQ(attribute.value.size(), block);
    const auto all = world().all_gather(std::span<const double>(attribute.value)).data;
    auto& values = result.numeric[attribute.name];
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!std::isnan(all[i])) values[names[i]] = all[i];
    }
  }
  for (const auto& attribute : table.category) {
    EXPECT_EQ(attribute.row_begin.size(), block + 1);
    struct Entry {
      std::int64_t id;
      std::int32_t category;
    };
    std::vector<Entry> mine;
    for (std::size_t i = 0; i < block; ++i) {
      const auto begin = attribute.category.begin() + attribute.row_begin[i];
      const auto end = attribute.category.begin() + attribute.row_begin[i + 1];
      EXPECT_TRUE(std::is_sorted(begin, end, std::less_equal<>()) || begin == end) << "ascending, no repeats";
      for (auto c = begin; c != end; ++c) {
        mine.push_back({ids.distribution.begin(world().rank()) + static_cast<std::int64_t>(i), *c});
      }
    }
    auto sorted = attribute.categories;
    std::ranges::sort(sorted,
                      [](const auto& a, const auto& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
    EXPECT_EQ(attribute.categories, sorted);
    auto& values = result.category[attribute.name];
    for (const auto& entry : world().all_gather(std::span<const Entry>(mine)).data) {
      values[names[entry.id]].insert(attribute.categories[entry.category]);
    }
  }
  result.label_name = table.label_name;
  result.left_out = table.left_out;
  EXPECT_EQ(table.label.size(), table.label_name.empty() ? 0 : block);
  IdTable labels;
  for (const auto& label : table.label) labels.push_back(label);
  const auto all = whole_ids(labels);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].empty()) result.label[names[i]] = all[i];
  }
  return result;
}

// The same film table in three ways of writing it.
const std::string typed_films =
    "item_id:token\tmovie_title:token_seq\tyear:token\tclass:token_seq\tscore:float\tpicture:token\tvector:float_seq\t"
    "nothing:token\n";

TEST(Attributes, EveryKindOfColumn) {
  const Scratch scratch;
  const auto ids = id_table(numbered("f", 60));
  const std::vector<std::string> genres{"Drama", "Comedy Drama", "", "Horror Comedy Horror"};
  std::string typed = typed_films;
  std::string plain = "\xEF\xBB\xBF,movie_title,year,class,score,picture,vector,nothing\r\n";
  Said wanted;
  for (int i = 70; i-- > 0;) {
    const auto id = std::string("f").append(std::to_string(i));
    const auto title = "The \"" + std::to_string(i) + "\", part " + std::to_string(i / 2);
    const auto year = std::to_string(1990 + i % 7);
    const auto& genre = genres[i % 4];
    const std::string score = i % 5 == 0 ? "" : std::to_string(i) + ".5e-1";
    const auto picture = "http://x/" + std::to_string(i);
    typed += id + "\t" + title + "\t" + year + "\t" + genre + "\t" + score + "\t" + picture + "\t1 2 3\t\n";
    auto bars = genre;
    std::ranges::replace(bars, ' ', '|');
    plain += id + ",\"The \"\"" + std::to_string(i) + "\"\", part " + std::to_string(i / 2) + "\", " + year + " ," +
             bars + "," + score + ",\"" + picture + "\",v" + std::to_string(i) + ",\r\n";
    if (i >= 60) continue;
    wanted.label[id] = title;
    wanted.numeric["year"][id] = 1990 + i % 7;
    if (i % 5) wanted.numeric["score"][id] = std::stod(score);
    if (i % 4 != 2) wanted.category["class"][id] = {i % 4 == 0 ? "Drama" : "Comedy"};
    if (i % 4 == 1) wanted.category["class"][id].insert("Drama");
    if (i % 4 == 3) wanted.category["class"][id].insert("Horror");
  }
  wanted.label_name = "movie_title";
  wanted.left_out = {"picture", "vector", "nothing"};
  plain.pop_back();  // the last line lacks its end
  for (const auto& path : {scratch.write("f.item", typed), scratch.write("f.item.gz", gzipped(typed)),
                           scratch.write("f.csv", plain), scratch.write("f.csv.gz", gzipped(plain))}) {
    const auto table = read_attributes(world(), ids, path);
    const auto got = said(ids, table);
    EXPECT_EQ(got.numeric, wanted.numeric) << path;
    EXPECT_EQ(got.category, wanted.category) << path;
    EXPECT_EQ(got.label, wanted.label) << path;
    EXPECT_EQ(got.label_name, wanted.label_name);
    EXPECT_EQ(got.left_out, wanted.left_out);
    EXPECT_EQ(table.matched, 60);
    EXPECT_EQ(table.unknown, 10);
    EXPECT_EQ(table.file.path, path);
    EXPECT_EQ(table.file.sha256.size(), 64U);
  }
}

TEST(Attributes, NumbersCodesAndNames) {
  const Scratch scratch;
  const auto ids = id_table(numbered("", 50));
  std::string typed = "u:token\tage:token\tcode:token\tserial:token\tzip:token\tnickname:token\tband_name:token_seq\n";
  std::string plain = "u\tprice\tflag\tmixed\tlong\n";
  for (int i = 0; i < 50; ++i) {
    const auto n = std::to_string(i);
    typed += n + "\t" + std::to_string(20 + i % 3) + "\t0" + std::to_string(i % 3) + "\t" + std::to_string(1000 + i) +
             "\t0" + std::to_string(2000 + i) + "\tnick" + n + "\tPink Floyd " + std::to_string(i % 4) + "\n";
    plain += n + "\t" + n + ".25\t" + std::to_string(i % 2) + "\t" + (i == 49 ? "x" : "7") + "\t" +
             (i == 7 ? std::string(2000, 'a') : "b") + "\n";
  }
  const auto got = said(ids, read_attributes(world(), ids, scratch.write("u.user", typed)));
  EXPECT_EQ(got.numeric.size(), 1U);
  EXPECT_EQ(got.numeric.at("age").at("4"), 21) << "few different numbers of type token are numbers";
  EXPECT_EQ(got.category.at("code").at("4"), std::set<std::string>{"01"}) << "zeros in front make a code";
  EXPECT_EQ(got.category.at("band_name").at("6"), std::set<std::string>{"Pink Floyd 2"}) << "names are not split";
  EXPECT_EQ(got.left_out, (std::vector<std::string>{"serial", "zip"}));
  EXPECT_EQ(got.label.at("33"), "nick33");
  const auto second = said(ids, read_attributes(world(), ids, scratch.write("p.tsv", plain)));
  EXPECT_EQ(second.numeric.at("price").at("33"), 33.25) << "of a plain header, numbers that all differ are numbers";
  EXPECT_EQ(second.numeric.at("flag").size(), 50U);
  EXPECT_EQ(second.category.at("mixed").at("49"), std::set<std::string>{"x"}) << "one value is no number";
  EXPECT_EQ(second.left_out, std::vector<std::string>{"long"});
  EXPECT_EQ(second.label_name, "");
}

TEST(Attributes, SmallTablesAndEmptyBlocks) {
  const Scratch scratch;
  const auto one = id_table({"x"});
  const auto path = scratch.write("t.csv", "id,title,kind\nx,\"A title\",a\ny,B,b\n");
  const auto got = said(one, read_attributes(world(), one, path));
  EXPECT_EQ(got.label.at("x"), "A title");
  EXPECT_EQ(got.category.at("kind").at("x"), std::set<std::string>{"a"});
  const auto three = id_table({"x", "y", "zz"});
  const auto table = read_attributes(world(), three, path);
  EXPECT_EQ(table.matched, 2);
  EXPECT_EQ(said(three, table).category.at("kind").size(), 2U);
  EXPECT_EQ(said(three, table).label.count("zz"), 0U);
}

TEST(Attributes, ManyRowsInAnyOrder) {
  const Scratch scratch;
  const auto ids = id_table(numbered("item-", 4000));
  std::mt19937 random(1);
  std::vector<int> order(9000);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i) - 2000;
  std::shuffle(order.begin(), order.end(), random);
  std::string text = "asin\tbrand\tprice\ttags\n";
  Said wanted;
  for (const int i : order) {
    const auto id = i < 0 ? "old" + std::to_string(-i) : "item-" + std::to_string(i);
    const auto brand = "brand " + std::to_string(random() % 300);
    const auto price = static_cast<double>(random() % 100'000) / 64;
    std::set<std::string> tags;
    std::string list;
    for (auto n = random() % 4; n > 0; --n) {
      const auto tag = "t" + std::to_string(random() % 30);
      tags.insert(tag);
      list += (list.empty() ? "" : "|") + tag;
    }
    text += id + "\t" + brand + "\t" + std::to_string(price) + "\t" + list + "\n";
    if (i < 0 || i >= 4000) continue;
    wanted.category["brand"][id] = {brand};
    wanted.numeric["price"][id] = std::stod(std::to_string(price));
    if (!tags.empty()) wanted.category["tags"][id] = tags;
  }
  for (const auto& path : {scratch.write("a.tsv", text), scratch.write("a.tsv.gz", gzipped(text))}) {
    const auto table = read_attributes(world(), ids, path);
    EXPECT_TRUE(said(ids, table) == wanted) << path;
    EXPECT_EQ(table.matched, 4000);
    EXPECT_EQ(table.unknown, 5000);
  }
}

class AttributeErrors : public testing::Test {
 protected:
  Scratch scratch_;
  IdTable ids_ = id_table(numbered("", 300));

  void expect_refused(const std::string& name, const std::string& content, const std::vector<std::string>& texts) {
    expect_refused(scratch_.write(name, content), texts);
  }
  void expect_refused(const std::string& path, const std::vector<std::string>& texts) {
    std::string message;
    try {
      read_attributes(world(), ids_, path);
      ADD_FAILURE() << path << ": no error";
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_EQ(message, world().broadcast(message));
    for (const auto& text : texts) EXPECT_NE(message.find(text), std::string::npos) << text << "\nin: " << message;
  }
};

TEST_F(AttributeErrors, AreTheSameOnAllRanks) {
  std::string good;
  for (int i = 0; i < 300; ++i) good += std::to_string(i) + "\tk" + std::to_string(i % 5) + "\t1.5\n";
  const std::string typed = "id:token\tkind:token\tsize:float\n" + good;
  expect_refused(scratch_.path("missing.tsv"), {"missing.tsv", "No such file"});
  expect_refused("empty.tsv", "", {"empty.tsv", "empty"});
  expect_refused("header.tsv", "id\tkind\n", {"header.tsv", "empty but for its header"});
  expect_refused("one.tsv", "id\n1\n", {"one.tsv:1", "header", "\"id\""});
  expect_refused("twice.csv", "id,kind,kind\n1,2,3\n", {"twice.csv:1", "\"kind\""});
  expect_refused("bare.csv", "id,kind,\n1,2,3\n", {"bare.csv:1", "column 2", "no name"});
  expect_refused("headless.tsv", good, {"headless.tsv:1", "\"0\"", "header"});
  expect_refused("short.tsv", typed + "17\tk\n", {"short.tsv:302", "2 columns", "has 3"});
  expect_refused("short.tsv.gz", gzipped(typed + "17\tk\n"), {"short.tsv.gz:302", "2 columns"});
  expect_refused("long.tsv", typed + "u\tk\t1\t2\n" + good, {"long.tsv:302", "4 columns"});
  expect_refused("float.tsv", typed + "u\tk\tmany\n", {"float.tsv:302", "size", "\"many\""});
  expect_refused("nul.tsv", typed + "u\tk" + std::string(1, '\0') + "\t1\n", {"nul.tsv:302", "NUL"});
  expect_refused("blank.tsv", typed + "\tk\t1\n", {"blank.tsv:302", "the id is empty"});
  expect_refused("quote.csv", "id,kind\n1,a\n\"2,b\n3,c\n", {"quote.csv:3", "quote"});
  expect_refused("huge.tsv", typed + "u\t" + std::string(2 << 20, 'x') + "\t1\n", {"huge.tsv:302", "1 MiB"});
  expect_refused("again.tsv", typed + "8\tk\t1\n", {"again.tsv:302", "\"8\"", "again.tsv:10", "may have one"});
  expect_refused("again.tsv.gz", gzipped(typed + "8\tk\t1\n"), {"again.tsv.gz:302", "again.tsv.gz:10"});
  expect_refused("other.csv", "isbn,kind\ntt01,a\ntt02,b\n",
                 {"other.csv", "none of its ids", "300", "\"tt01\"", "\"0\""});
}

class RealAttributes : public testing::Test {
 protected:
  void SetUp() override {
    const auto* directory = std::getenv("COHORT_SHARED_DATA");
    if (!directory || !std::filesystem::is_directory(directory)) {
      GTEST_SKIP() << "COHORT_SHARED_DATA names no directory: the shared data sets are not here";
    }
    directory_ = directory;
  }
  Dataset dataset(const std::string& name) const {
    InputConfig input;
    input.interactions = {directory_ + "/" + name};
    return prepare(world(), input, {}, {}, 1).dataset;
  }
  std::string directory_;
};

TEST_F(RealAttributes, MovieLens100k) {
  const auto data = dataset("ml-100k/ml-100k.inter.gz");
  const auto items = read_attributes(world(), data.items, directory_ + "/ml-100k/ml-100k.item");
  EXPECT_EQ(items.matched, 1682);
  EXPECT_EQ(items.unknown, 0);
  EXPECT_EQ(items.label_name, "movie_title");
  const auto films = said(data.items, items);
  EXPECT_EQ(films.label.at("2"), "GoldenEye");
  EXPECT_EQ(films.category.at("class").at("1"), (std::set<std::string>{"Animation", "Children's", "Comedy"}));
  EXPECT_EQ(films.category.at("release_year").at("1"), std::set<std::string>{"1995"}) << "two years are no numbers";
  EXPECT_TRUE(films.left_out.empty());
  const auto users = said(data.users, read_attributes(world(), data.users, directory_ + "/ml-100k/ml-100k.user"));
  EXPECT_EQ(users.numeric.at("age").at("2"), 53);
  EXPECT_EQ(users.category.at("gender").at("2"), std::set<std::string>{"F"});
  EXPECT_EQ(users.category.at("occupation").size(), 943U);
  EXPECT_EQ(users.left_out, std::vector<std::string>{"zip_code"});
}

TEST_F(RealAttributes, LastFm) {
  const auto data = dataset("lastfm/lastfm.inter.gz");
  const auto table = read_attributes(world(), data.items, directory_ + "/lastfm/lastfm.item.gz");
  EXPECT_EQ(table.matched, 17632);
  EXPECT_EQ(table.label_name, "name");
  EXPECT_EQ(said(data.items, table).label.at("2"), "Diary of Dreams");
  EXPECT_EQ(table.left_out, (std::vector<std::string>{"url", "pictureURL"}));
  EXPECT_TRUE(table.category.empty());
}

}  // namespace
}  // namespace cohort
