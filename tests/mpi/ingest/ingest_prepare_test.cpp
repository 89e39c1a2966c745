// prepare(), labels and test files against the plain reference, at any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <iomanip>
#include <random>
#include <sstream>

#include "core/random.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/label_file.hpp"
#include "ingest/rules/holdout.hpp"
#include "support/ingest_reference.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// Ids that are numbers, nearly numbers, long, and not ASCII; they share lengths and prefixes.
std::string id_text(int number) {
  switch (number % 7) {
    case 0:
      return "00" + std::to_string(number);
    case 1:
      return "user-with-a-long-common-prefix-" + std::to_string(number);
    case 2:
      return "\xC3\xA9" + std::to_string(number);
    case 3:
      return "9999999999999999" + std::to_string(100 + number % 900);  // 19 digits: not read as a number
    default:
      return std::to_string(number);
  }
}

std::vector<Line> random_lines(int count, int users, int items, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Line> lines;
  for (int i = 0; i < count; ++i) {
    // Squares crowd small numbers: users and items of very different activity.
    const auto u = static_cast<int>(random() % static_cast<unsigned>(users));
    const auto v = static_cast<int>(random() % static_cast<unsigned>(items));
    lines.push_back({id_text(u * u / users), id_text(v * v / items), 0.5 * static_cast<double>(random() % 11),
                     static_cast<double>(1'000'000'000 + random() % 1000)});
  }
  return lines;
}

std::string number(double value) {
  std::ostringstream text;
  text << std::setprecision(17) << value;
  return text.str();
}

std::string joined(const std::vector<Line>& lines, const std::string& separator, bool weights = true,
                   const std::string& end = "\n") {
  std::string text;
  for (const auto& line : lines) {
    text += line.user + separator + line.item;
    if (weights) text += separator + number(line.weight) + separator + number(line.time);
    text += end;
  }
  return text;
}

void expect_same(const Whole& got, const Whole& wanted) {
  EXPECT_EQ(got.users, wanted.users);
  EXPECT_EQ(got.items, wanted.items);
  EXPECT_EQ(got.interactions, wanted.interactions);
  EXPECT_EQ(got.social, wanted.social);
}

Whole prepared(const InputConfig& input, const CleanConfig& clean = {}, const GraphConfig& graph = {}) {
  const auto result = prepare(world(), input, clean, graph, 42);
  const auto& dataset = result.dataset;
  EXPECT_EQ(dataset.users.distribution.total(), world().sum(dataset.users.block_size()));
  EXPECT_EQ(dataset.users.block_size(), dataset.users.distribution.count(world().rank()));
  EXPECT_EQ(dataset.interactions.rows(), dataset.users.block_size());
  EXPECT_EQ(dataset.holdout.rows(), dataset.users.block_size());
  EXPECT_EQ(dataset.social.rows(), dataset.users.block_size());
  for (std::int64_t r = 0; r < dataset.interactions.rows(); ++r) {
    const auto* other = dataset.interactions.other.data();
    EXPECT_TRUE(std::is_sorted(other + dataset.interactions.row_begin[r], other + dataset.interactions.row_begin[r + 1],
                               std::less_equal<>()) ||
                dataset.interactions.row_begin[r] == dataset.interactions.row_begin[r + 1])
        << "ascending, no repeats";
  }
  return whole(dataset);
}

InputConfig files(std::vector<std::string> interactions, std::vector<std::string> social = {}) {
  InputConfig input;
  input.interactions = std::move(interactions);
  input.social = std::move(social);
  return input;
}

TEST(Prepare, EveryFormatGivesTheDatasetOfTheReference) {
  const Scratch scratch;
  const auto lines = random_lines(3000, 150, 90, 1);
  const auto wanted = reference(lines, {}, {});

  expect_same(prepared(files({scratch.write("a.tsv", joined(lines, "\t"))})), wanted);
  expect_same(prepared(files({scratch.write("a.csv", joined(lines, ",", true, "\r\n"))})), wanted);
  expect_same(prepared(files({scratch.write("a.dat", joined(lines, "::"))})), wanted);
  expect_same(prepared(files({scratch.write("a.tsv.gz", gzipped(joined(lines, "\t")))})), wanted);
  expect_same(
      prepared(files({scratch.write(
          "typed.inter", "user_id:token\tartist_id:token\trating:float\ttimestamp:float\n" + joined(lines, "\t"))})),
      wanted);
  auto spaces = files({scratch.write("a.txt", joined(lines, "  "))});
  spaces.format = InputFormat::ssv;
  expect_same(prepared(spaces), wanted);
  const auto untabbed = joined(lines, "\t");
  expect_same(prepared(files({scratch.write("bom.tsv", "\xEF\xBB\xBF" + untabbed.substr(0, untabbed.size() - 1))})),
              wanted);
}

TEST(Prepare, ColumnsByNameAndByIndex) {
  const Scratch scratch;
  const auto lines = random_lines(800, 60, 40, 2);
  std::string named = "when;ignored,title,rating,product,userId,timestamp\n";
  std::string bare;
  for (const auto& line : lines) {
    named += "0,\"a \"\"quoted\"\", title\"," + number(line.weight) + ",\"" + line.item + "\"," + line.user + "," +
             number(line.time) + "\n";
    bare += line.item + "\t-\t" + line.user + "\t" + number(line.weight) + "\n";
  }
  expect_same(prepared(files({scratch.write("named.csv", named)})), reference(lines, {}, {}));

  auto timeless = lines;
  for (auto& line : timeless) line.time = 0;
  auto chosen = files({scratch.write("named.csv", named)});
  chosen.columns = {{"user", "userId"}, {"item", "3"}, {"weight", "rating"}};
  expect_same(prepared(chosen), reference(timeless, {}, {}));
  auto indexed = files({scratch.write("bare.txt", bare)});
  indexed.columns = {{"user", "2"}, {"item", "0"}, {"weight", "3"}};
  expect_same(prepared(indexed), reference(timeless, {}, {}));
}

TEST(Prepare, AdjacencyListsPlainAndCompressed) {
  const Scratch scratch;
  std::string text;
  std::vector<Line> lines;
  std::mt19937 random(3);
  for (int u = 0; u < 300; ++u) {
    text += std::to_string(u);
    for (auto n = random() % 30; n > 0; --n) {
      lines.push_back({std::to_string(u), std::to_string(random() % 500)});
      text += " " + lines.back().item;
    }
    text += u % 2 ? "\n" : " \n";
  }
  const auto wanted = reference(lines, {}, {});
  expect_same(prepared(files({scratch.write("train.txt", text)})), wanted);
  expect_same(prepared(files({scratch.write("train.txt.gz", gzipped(text))})), wanted);
}

TEST(Prepare, NeitherTheOrderOfLinesNorTheFilesMatter) {
  const Scratch scratch;
  auto lines = random_lines(4000, 200, 100, 4);
  const auto wanted = reference(lines, {}, {});
  std::shuffle(lines.begin(), lines.end(), std::mt19937(5));
  const std::vector<Line> first(lines.begin(), lines.begin() + 1000);
  const std::vector<Line> second(lines.begin() + 1000, lines.begin() + 1010);
  const std::vector<Line> third(lines.begin() + 1010, lines.begin() + 2500);
  const std::vector<Line> fourth(lines.begin() + 2500, lines.end());
  // A gzip file may have several members.
  const auto half = joined(third, "\t");
  expect_same(prepared(files({scratch.write("1.tsv", joined(first, "\t")), scratch.write("2.csv", joined(second, ",")),
                              scratch.write("3.gz", gzipped(half.substr(0, 777)) + gzipped(half.substr(777))),
                              scratch.write("4.tsv.gz", gzipped(joined(fourth, "\t")))})),
              wanted);
}

TEST(Prepare, CleansAsTheReferenceDoes) {
  const Scratch scratch;
  const auto lines = random_lines(3000, 300, 200, 6);
  std::vector<Line> social;
  std::mt19937 random(7);
  for (int i = 0; i < 700; ++i) {
    social.push_back({id_text(static_cast<int>(random() % 400)), id_text(static_cast<int>(random() % 400)),
                      1.0 + static_cast<double>(random() % 3)});
  }
  std::string edges = "source\ttarget\tweight\n";
  for (const auto& edge : social) edges += edge.user + "\t" + edge.item + "\t" + number(edge.weight) + "\n";
  const auto input = files({scratch.write("a.tsv", joined(lines, "\t"))}, {scratch.write("s.tsv", edges)});
  int combinations = 0;
  for (const auto social_only : {SocialOnlyUsers::keep, SocialOnlyUsers::drop}) {
    for (const std::int64_t user_core : {1, 3, 12}) {
      for (const std::int64_t item_core : {1, 4, 15}) {
        for (const std::int64_t cap : {0, 60}) {
          const CleanConfig clean{social_only, user_core, item_core, cap, 0};
          for (const double min_weight : {0.0, 1.5}) {
            const auto wanted = reference(lines, social, clean, min_weight);
            if (wanted.interactions.empty()) continue;
            ++combinations;
            GraphConfig graph;
            graph.min_weight = min_weight;
            expect_same(prepared(input, clean, graph), wanted);
          }
        }
      }
    }
  }
  EXPECT_GE(combinations, 48) << "the minima are low enough for a core in most of the 72";
}

TEST(Prepare, RulesReportWhatTheyRemoved) {
  const Scratch scratch;
  // bot has 4 items; a-b-c share x and y; d has only z; e, f are known from social edges only.
  const auto input = files(
      {scratch.write("i.tsv", "bot\tx\nbot\ty\nbot\tz\nbot\tw\na\tx\na\ty\nb\tx\nb\ty\nc\tx\nc\ty\nc\ty\nd\tz\n")},
      {scratch.write("s.csv", "a,b\nb,a\na,a\ne,f\nbot,a\nd,a\ng,g\n")});
  const auto result = prepare(world(), input, {SocialOnlyUsers::drop, 2, 2, 3, 0}, {}, 1);
  const auto& stats = result.stats;
  EXPECT_EQ(stats.interactions.lines, 12);
  EXPECT_EQ(stats.users_read, 8);
  EXPECT_EQ(stats.items_read, 4);
  EXPECT_EQ(stats.clean.duplicates, 1);
  EXPECT_EQ(stats.clean.bot_users, 1);
  EXPECT_EQ(stats.clean.bot_interactions, 4);
  EXPECT_EQ(stats.clean.bot_social_edges, 1);
  EXPECT_EQ(stats.clean.core_users, 1);
  EXPECT_EQ(stats.clean.core_interactions, 1);
  EXPECT_EQ(stats.clean.core_items, 0);  // z lost its last interaction with d, w with bot
  EXPECT_EQ(stats.clean.vanished_items, 2);
  EXPECT_EQ(stats.clean.self_loops, 2);
  EXPECT_EQ(stats.clean.social_duplicates, 1);
  EXPECT_EQ(stats.clean.social_only_users, 2);
  EXPECT_EQ(stats.clean.social_only_edges, 2);
  EXPECT_EQ(stats.clean.vanished_users, 1);  // g
  EXPECT_EQ(whole(result.dataset).users, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(result.dataset.files.size(), 2U);
  EXPECT_EQ(result.dataset.files[1].bytes, 30);
}

TEST(Prepare, SocialEdgesAloneAreAGraph) {
  const Scratch scratch;
  const auto result = prepare(world(), files({}, {scratch.write("edges.txt", "10 2\n2 10\n2 3\n3 3\n")}), {}, {}, 1);
  const auto got = whole(result.dataset);
  EXPECT_FALSE(result.dataset.has_items());
  EXPECT_EQ(got.users, (std::vector<std::string>{"2", "3", "10"}));
  const std::map<IdPair, float> wanted{{{"2", "10"}, 1.F}, {{"10", "2"}, 1.F}, {{"2", "3"}, 1.F}, {{"3", "2"}, 1.F}};
  EXPECT_EQ(got.social, wanted);
}

TEST(Prepare, HoldoutIsDrawnByUserAndItem) {
  const Scratch scratch;
  const auto lines = random_lines(2000, 150, 80, 8);
  auto input = files({scratch.write("a.tsv", joined(lines, "\t"))});
  input.holdout = 0.3;
  const auto result = prepare(world(), input, {}, {}, 99);
  const auto got = whole(result.dataset);
  const auto wanted = reference(lines, {}, {});
  const CounterRandom random(99, Purpose::holdout);
  std::map<std::string, int> kept;
  std::map<std::string, double> largest;
  for (const auto& [pair, value] : wanted.interactions) {
    const auto index = [](const std::vector<std::string>& ids, const std::string& id) {
      return std::ranges::find(ids, id) - ids.begin();
    };
    const auto drawn = random.uniform(static_cast<std::uint64_t>(index(wanted.users, pair.first)),
                                      static_cast<std::uint32_t>(index(wanted.items, pair.second)));
    const bool held = got.holdout.contains(pair);
    EXPECT_NE(held, got.interactions.contains(pair));
    if (!held) ++kept[pair.first];
    EXPECT_FALSE(held && drawn >= 0.3);
    largest[pair.first] = std::max(largest[pair.first], drawn);
  }
  EXPECT_EQ(kept.size(), wanted.users.size()) << "every user keeps one";
  for (const auto& [pair, value] : wanted.interactions) {
    // Below the share and kept all the same: only the last one of a user whose numbers are all below.
    if (!got.holdout.contains(pair) && largest[pair.first] < 0.3) {
      EXPECT_EQ(kept[pair.first], 1) << pair.first;
    }
  }
  EXPECT_EQ(got.items, wanted.items) << "items stay";
  const auto share = static_cast<double>(got.holdout.size()) / static_cast<double>(wanted.interactions.size());
  EXPECT_NEAR(share, 0.3, 0.05);
  EXPECT_EQ(result.stats.holdout.pairs, std::ssize(got.holdout));
  std::set<std::string> trained;
  for (const auto& [pair, value] : got.interactions) trained.insert(pair.second);
  EXPECT_EQ(result.stats.holdout.items_without_training, std::ssize(wanted.items) - std::ssize(trained));
}

TEST(Prepare, TestFileIsMatchedAgainstTheDictionary) {
  const Scratch scratch;
  auto input = files({scratch.write("train.tsv", "1\ta\n2\ta\n2\tb\n10\tc\n")});
  input.test = {
      scratch.write("test.tsv", "2\tc\n2\tnew1\n2\tnew1\n2\tb\n2\tnew2\nnobody\ta\n10\ta\n10\ta\n2\tb\n1\ta\n")};
  const auto result = prepare(world(), input, {}, {}, 1);
  const auto got = whole(result.dataset);
  EXPECT_EQ(got.items, (std::vector<std::string>{"a", "b", "c"}));
  const std::multimap<IdPair, std::pair<float, double>> wanted{
      {{"10", "a"}, {2.F, 0.}}, {{"2", ""}, {2.F, 0.}}, {{"2", ""}, {1.F, 0.}}, {{"2", "c"}, {1.F, 0.}}};
  EXPECT_EQ(got.holdout.count({"2", ""}), 2U);
  EXPECT_EQ(got.holdout.size(), wanted.size());
  EXPECT_TRUE(std::is_permutation(got.holdout.begin(), got.holdout.end(), wanted.begin()));
  EXPECT_EQ(result.stats.holdout.pairs, 4);
  EXPECT_EQ(result.stats.holdout.unknown_user_pairs, 1);
  EXPECT_EQ(result.stats.holdout.unknown_item_pairs, 2);
  EXPECT_EQ(result.stats.holdout.repeated_pairs, 3);
  EXPECT_EQ(result.stats.holdout.trained_pairs, 2) << "2 b and 1 a are among the interactions";
  const auto again = read_test_pairs(world(), result.dataset, input, {}, {});
  EXPECT_EQ(again.pairs.other, result.dataset.holdout.other);
}

TEST(Labels, OfKnownUsers) {
  const Scratch scratch;
  const auto users = prepare(world(), files({scratch.write("i.tsv", "7\tx\n8\tx\n9\tx\n10\tx\n")}), {}, {}, 1);
  const auto path = scratch.write("truth.tsv", "user\tsegment\n10\t2\n7\tten\n8\t2\nghost\t5\n8\t2\n");
  const auto labels = read_labels(world(), users.dataset.users, path);
  EXPECT_EQ(labels.names, (std::vector<std::string>{"2", "5", "ten"}));
  EXPECT_EQ(world().all_gather(std::span<const std::int32_t>(labels.label)).data,
            (std::vector<std::int32_t>{2, 0, -1, 0}));
  EXPECT_EQ(labels.labelled, 3);
  EXPECT_EQ(labels.unknown_users, 1);
  EXPECT_THROW(read_labels(world(), users.dataset.users, scratch.write("two.txt", "7 a\n7 b\n")), InputError);
  EXPECT_THROW(read_labels(world(), users.dataset.users, scratch.write("none.txt", "x a\ny b\n")), InputError);
}

TEST(Dictionary, FindsIdsInTablesWithEmptyBlocks) {
  for (const int total : {0, 1, 2, 3, 50}) {
    IdTable mine;
    for (int i = world().rank(); i < total; i += 2) mine.push_back(id_text(i));  // ranks overlap
    if (world().size() == 1) {
      for (int i = 1; i < total; i += 2) mine.push_back(id_text(i));
    }
    const auto dictionary = build_dictionary(world(), mine);
    std::vector<std::string> wanted;
    for (int i = 0; i < total; ++i) wanted.push_back(id_text(i));
    sort_ids(wanted);
    EXPECT_EQ(whole_ids(dictionary.table), wanted);
    for (std::int64_t i = 0; i < mine.block_size(); ++i) {
      EXPECT_EQ(wanted[dictionary.number[i]], mine[i]);
    }
    const auto even = keep_ids(world(), dictionary.table, std::vector<char>(dictionary.table.block_size(), 1));
    IdTable asked;
    for (const auto* id : {"0", "zzz", "~", ""}) asked.push_back(id);
    for (const auto& id : wanted) asked.push_back(id);
    const auto found = find_ids(world(), even, asked);
    for (std::int64_t i = 0; i < asked.block_size(); ++i) {
      const auto at = std::ranges::find(wanted, asked[i]);
      EXPECT_EQ(found[i], at == wanted.end() ? -1 : at - wanted.begin());
    }
  }
}

}  // namespace
}  // namespace cohort
