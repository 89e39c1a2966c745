// Bad input: the same clear InputError on every rank, at any number of ranks; and the treatments that are no errors.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ingest/prepare.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

std::string good_lines(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i)
    text.append("u").append(std::to_string(i % 60)).append("\ti").append(std::to_string(i % 23)).append("\n");
  return text;
}

// The message of the InputError that every rank must throw; what rank 0 got must be what all got.
std::string refused(const InputConfig& input, const CleanConfig& clean = {}, const GraphConfig& graph = {}) {
  std::string message;
  try {
    prepare(world(), input, clean, graph, 1);
    ADD_FAILURE() << "no error";
  } catch (const InputError& error) {
    message = error.what();
  }
  EXPECT_EQ(message, world().broadcast(message));
  return message;
}

void expect_in(const std::string& message, const std::vector<std::string>& texts) {
  for (const auto& text : texts) EXPECT_NE(message.find(text), std::string::npos) << text << "\nin: " << message;
}

InputConfig reading(const std::string& path) {
  InputConfig input;
  input.interactions = {path};
  return input;
}

class Errors : public testing::Test {
 protected:
  Scratch scratch_;

  std::string refused_text(const std::string& name, const std::string& content) {
    return refused(reading(scratch_.write(name, content)));
  }
};

TEST_F(Errors, FilesThatCannotBeRead) {
  expect_in(refused(reading(scratch_.path("missing.tsv"))), {"missing.tsv", "No such file"});
  if (world().is_root()) std::filesystem::create_directory(scratch_.path("folder.tsv"));
  world().barrier();
  expect_in(refused(reading(scratch_.path("folder.tsv"))), {"folder.tsv", "directory"});
  expect_in(refused_text("empty.tsv", ""), {"empty.tsv", "empty"});
  expect_in(refused_text("blank.tsv", "\n \n\r\n"), {"blank.tsv", "empty"});
  expect_in(refused_text("header.csv", "user,item\n"), {"header.csv", "empty"});
  expect_in(refused_text("nothing.tsv.gz", gzipped("")), {"nothing.tsv.gz", "empty"});
  expect_in(refused(InputConfig{}), {"input.interactions", "input.social"});
}

TEST_F(Errors, UnreadableOnOneRankOnly) {
  const auto good = scratch_.write("good.tsv", good_lines(300));
  const auto packed = scratch_.write("good.tsv.gz", gzipped(good_lines(300)));
  const auto shorter = scratch_.write("shorter.tsv", good_lines(100));
  const bool last = world().rank() == world().size() - 1;
  expect_in(refused(reading(last ? scratch_.path("lost.tsv") : good)), {"lost.tsv"});
  expect_in(refused(reading(last ? scratch_.path("lost.tsv.gz") : packed)), {"lost.tsv.gz"});
  if (world().size() > 1) expect_in(refused(reading(last ? shorter : good)), {"shorter.tsv", "rank", "same file"});
}

TEST_F(Errors, LinesAreNamedByNumber) {
  const auto good = good_lines(300);
  expect_in(refused_text("a.tsv", good + "only-one-field\n" + good), {"a.tsv:301", "1 column", "max_bad_lines"});
  expect_in(refused_text("a.tsv", good + "u\ti\t3\n"), {"a.tsv:301", "3 columns"});
  expect_in(refused_text("a.tsv", "user\titem\n\n" + good + "\ti\n"), {"a.tsv:303", "user is empty"});
  expect_in(refused_text("a.tsv", good + "u1\ti" + std::string(1, '\0') + "1\n"), {"a.tsv:301", "NUL"});
  expect_in(refused_text("a.tsv", std::string(1, '\0') + "u1\ti1\n" + good), {"a.tsv:1", "NUL"});
  expect_in(refused_text("a.tsv", good + "u1\t" + std::string(10'240, 'x') + "\n" + good),
            {"a.tsv:301", "10,240 bytes", "1,024"});
  expect_in(refused_text("a.tsv.gz", gzipped(good + "u1\n" + good)), {"a.tsv.gz:301", "1 column"});
  expect_in(refused_text("a.csv", "u1,i1\n\"u2,i2\n"), {"a.csv:2", "quote"});
  EXPECT_EQ(
      refused_text("a.tsv", good + "u1\t" + std::string(1024, 'x') + "y\n").find("1,025 bytes") == std::string::npos,
      false);
}

TEST_F(Errors, WeightsThatCannotBe) {
  for (const std::string weight : {"-1", "inf", "nan", "heavy", "1e300", "", "-0.5", "3 4"}) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += std::to_string(i) + "\t1\t2.5\n";
    expect_in(refused_text("w.tsv", text + "u1\ti1\t" + weight + "\n"),
              {"w.tsv:301", std::string("\"") + weight + "\""});
  }
}

TEST_F(Errors, AHundredMegabyteLine) {
  const auto good = good_lines(300);
  const std::string filler(100 << 20, 'y');
  expect_in(refused_text("long.tsv", good + "u1\ti1" + filler + "\n" + good), {"long.tsv:301", "longer than 1 MiB"});
  expect_in(refused_text("long.tsv.gz", gzipped(good + "u1\ti1" + filler + "\n" + good)),
            {"long.tsv.gz:301", "longer than 1 MiB"});
  const std::string lists = "1 2 3 4\n2 3\n3 4 5\n4\n5 6 7 8 9\n";
  expect_in(refused_text("long.txt", lists + "6 " + filler + "\n" + lists), {"long.txt:6", "longer than 64 MiB"});
  expect_in(refused_text("first.tsv", "u1\ti1" + filler + "\n" + good), {"first.tsv:1", "longer than 1 MiB"});
}

TEST_F(Errors, FormatsThatCannotBeTold) {
  expect_in(refused_text("p.txt", "1 2 3\n2 3 4\n3 4 5\n"), {"input.format", "ssv", "lightgcn", "1 2 3"});
  expect_in(refused_text("p.txt", "a b c d\n"), {"input.format", "a b c d"});
  expect_in(refused_text("p.txt", "one\ntwo\n"), {"input.format", "one"});
  expect_in(refused_text("p.inter", "1\t2\n"), {"p.inter", "header"});
}

TEST_F(Errors, ColumnsThatAreNotThere) {
  auto input = reading(scratch_.write("c.tsv", good_lines(10)));
  input.columns = {{"user", "0"}, {"item", "1"}, {"weight", "rating"}};
  expect_in(refused(input), {"c.tsv", "rating", "no header"});
  input.columns = {{"user", "0"}, {"item", "5"}};
  expect_in(refused(input), {"c.tsv", "input.columns.item = 5", "2 columns"});
  input = reading(scratch_.write("c.csv", "user,thing,rating\n1,2,3\n"));
  expect_in(refused(input), {"c.csv", "item", "thing"});
  input.columns = {{"item", "artist"}};
  expect_in(refused(input), {"c.csv", "artist", "thing"});
  expect_in(refused_text("c.tsv", "1\t2\tthree\n"), {"c.tsv:1", "three", "input.columns"});
}

TEST_F(Errors, EventsAndTimesThatAreNeeded) {
  GraphConfig graph;
  graph.weight = EdgeWeighting::raw;
  graph.event_weights = {{"buy", 3.0}, {"view", 1.0}};
  std::string text = "user\titem\tevent\n";
  for (int i = 0; i < 300; ++i) text += std::to_string(i % 50) + "\t" + std::to_string(i % 7) + "\tview\n";
  const auto path = scratch_.write("e.tsv", text + "1\t2\tliked\n");
  expect_in(refused(reading(path), {}, graph), {"e.tsv:302: ", "\"liked\"", "(buy, view)", "weight 0"});
  expect_in(refused(reading(scratch_.write("e.tsv.gz", gzipped(text + "1\t2\t\n"))), {}, graph),
            {"e.tsv.gz:302: ", "the event \"\" is not"});
  EXPECT_EQ(prepare(world(), reading(path), {SocialOnlyUsers::keep, 1, 1, 0, 1}, graph, 1).stats.interactions.bad_lines,
            1);
  const auto plain = reading(scratch_.write("plain.tsv", good_lines(20)));
  expect_in(refused(plain, {}, graph), {"plain.tsv", "graph.event_weights", "input.columns.event"});
  auto lists = reading(scratch_.write("lists.txt", "1 2 3\n2 3\n"));
  lists.format = InputFormat::lightgcn;
  expect_in(refused(lists, {}, graph), {"lists.txt", "adjacency"});
  auto tested = reading(scratch_.write("good.tsv", text));
  tested.test = plain.interactions;
  expect_in(refused(tested, {}, graph), {"plain.tsv", "graph.event_weights"});
  graph.event_weights = {{"view", 0.0}};
  expect_in(refused(reading(scratch_.write("good.tsv", text)), {}, graph), {"graph.event_weights", "300"});

  GraphConfig aging;
  aging.weight = EdgeWeighting::raw;
  aging.half_life = 7;
  expect_in(refused(plain, {}, aging), {"plain.tsv", "times", "graph.half_life", "input.columns.time"});
  const auto milliseconds = scratch_.write("ms.tsv", "1\t1\t1\t1700000000000\n1\t2\t1\t1700000000001\n");
  auto as_seconds = reading(milliseconds);
  as_seconds.time_unit = TimeUnit::seconds;
  expect_in(refused(as_seconds, {}, aging), {"graph.half_life", "milliseconds"});
  auto temporal = plain;
  temporal.holdout = 0.1;
  temporal.holdout_split = HoldoutSplit::temporal;
  expect_in(refused(temporal), {"plain.tsv", "input.holdout_split", "input.columns.time"});
}

TEST_F(Errors, DamagedGzip) {
  const auto packed = gzipped(good_lines(100'000));
  expect_in(refused_text("cut.tsv.gz", packed.substr(0, packed.size() - 30)), {"cut.tsv.gz", "truncated"});
  expect_in(refused_text("short.tsv.gz", packed.substr(0, 5)), {"short.tsv.gz", "truncated"});
  auto damaged = packed;
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 40; ++i) damaged[i] = static_cast<char>(0xA5);
  expect_in(refused_text("bad.tsv.gz", damaged), {"bad.tsv.gz"});
  expect_in(refused_text("junk.tsv.gz", "\x1f\x8bnot gzip at all"), {"junk.tsv.gz", "damaged"});
  expect_in(refused_text("plain.tsv.gz", good_lines(5)), {"plain.tsv.gz", "no gzip data"});
}

TEST_F(Errors, NothingLeftNamesTheRule) {
  const auto input = reading(scratch_.write("n.tsv", good_lines(300)));
  expect_in(refused(input, {SocialOnlyUsers::keep, 100, 1, 0, 0}), {"clean.min_user_interactions = 100", "loosen"});
  expect_in(refused(input, {SocialOnlyUsers::keep, 1, 1000, 0, 0}), {"clean.min_item_interactions = 1000"});
  expect_in(refused(input, {SocialOnlyUsers::keep, 1, 1, 1, 0}), {"clean.max_user_interactions = 1"});
  GraphConfig strong;
  strong.min_weight = 4;
  expect_in(refused(input, {}, strong), {"graph.min_weight = 4"});
  InputConfig social;
  social.social = {scratch_.write("loops.tsv", "1\t1\n2\t2\n")};
  expect_in(refused(social), {"with itself"});
  social.social = {scratch_.write("s.tsv", "1\t2\n")};
  expect_in(refused(social, {SocialOnlyUsers::drop, 1, 1, 0, 0}), {"clean.social_only_users"});
  expect_in(refused(reading(scratch_.write("users.txt", "1\n2\n3\n4 \n5 5\n")), {SocialOnlyUsers::keep, 1, 2, 0, 0}),
            {"input.format"});
  auto lists = reading(scratch_.write("users.txt", "1\n2\n3\n"));
  lists.format = InputFormat::lightgcn;
  expect_in(refused(lists), {"no interaction"});
  auto both = input;
  both.test = input.interactions;
  both.holdout = 0.1;
  expect_in(refused(both), {"input.test", "input.holdout"});
}

TEST_F(Errors, ToleratedLinesAreReported) {
  const auto text = "\xEF\xBB\xBF" + good_lines(150) + "broken\r\n" + good_lines(150) + "u1\ti1\tx\n\r\nbroken";
  for (const auto& [name, content] : {std::pair("t.tsv", text), std::pair("t.tsv.gz", gzipped(text))}) {
    const auto path = scratch_.write(name, content);
    const auto stats = prepare(world(), reading(path), {SocialOnlyUsers::keep, 1, 1, 0, 3}, {}, 1).stats;
    EXPECT_EQ(stats.interactions.bad_lines, 3);
    EXPECT_EQ(stats.interactions.lines, 303);
    ASSERT_EQ(stats.interactions.bad_line_reports.size(), 3U);
    expect_in(stats.interactions.bad_line_reports[0], {path + ":151: "});
    expect_in(stats.interactions.bad_line_reports[1], {path + ":302: "});
    expect_in(stats.interactions.bad_line_reports[2], {path + ":304: "});
    expect_in(refused(reading(path), {SocialOnlyUsers::keep, 1, 1, 0, 2}), {":151: ", ":302: ", ":304: ", "3 of 303"});
  }
}

TEST_F(Errors, OnlyTheFirstOfManyBadLinesAreShown) {
  std::string text = good_lines(40);
  for (int i = 0; i < 5000; ++i) text.append("bad line ").append(std::to_string(i)).append("\n");
  const auto message = refused(reading(scratch_.write("m.tsv", text + good_lines(9000))));
  expect_in(message, {"m.tsv:41: ", "m.tsv:50: ", "4990 more"});
  EXPECT_EQ(message.find("m.tsv:51"), std::string::npos);
}

}  // namespace
}  // namespace cohort
