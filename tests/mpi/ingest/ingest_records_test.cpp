// Records with line breaks inside quotes, cut by ranks that each see a byte range of the file: the same at any number
// of ranks, as the rule applied to the whole text says.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "ingest/files/line_blocks.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/pair_reader.hpp"
#include "ingest/records/record_cutter.hpp"
#include "support/csv_reference.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// (offset, lines; -lines: malformed) of every record of the file, over all ranks.
struct Place {
  std::int64_t offset, lines;
  bool operator==(const Place&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Place& place) {
    return out << place.offset << ":" << place.lines << " ";
  }
};

std::vector<Place> places_read(const std::string& path, std::int64_t bytes, bool gzip) {
  OpenedFile file;
  file.path = path;
  file.storage.packing = gzip ? Packing::gzip : Packing::none;
  file.size = bytes;
  file.layout.format = TextFormat::csv;
  file.layout.columns = 2;
  std::vector<Place> mine;
  read_blocks(world(), {file}, [&](std::size_t, const LineBlock& block) {
    if (block.oversized) return mine.push_back({block.offset, -block.lines});
    RecordCutter cutter(block, {.quotes = true, .limit = line_limit(file.layout)});
    while (cutter.next()) {
      const auto begin = block.offset + (cutter.begin() - block.text);
      mine.push_back({begin, cutter.fault().empty() ? cutter.lines() : -cutter.lines()});
    }
  });
  auto all = world().all_gather(std::span<const Place>(mine)).data;
  std::ranges::sort(all, {}, &Place::offset);
  return all;
}

std::vector<Place> places_wanted(const std::string& text) {
  std::vector<Place> wanted;
  for (const auto& record : reference_records(text, std::size_t{1} << 20)) {
    wanted.push_back({static_cast<std::int64_t>(record.begin), record.malformed ? -record.lines : record.lines});
  }
  return wanted;
}

TEST(RecordsOfRanges, AreThoseOfTheWholeText) {
  const Scratch scratch;
  std::mt19937 random(world().size() == 1 ? 1 : 7);
  const std::string noise = "ab,,\"\"\"\n\n\r \t";
  const std::vector<std::string> pieces{
      "u1,i1\n",     "u2,\"i2\"\n",         "\"a\nb\nc\",i\n", "u,\"x, y\n\nz\"\r\n",   "u,\"\"\n",
      "u,a \"x\"\n", "\"\"\"q\"\"\n\",i\n", "u,\"open\n",      "\"a\n\",\"b\n\n\n\"\n", "u,\"a\"b\n"};
  for (int round = 0; round < 150; ++round) {
    // Some have fewer bytes than there are ranks, or none.
    std::string text = round % 15 == 0 ? "" : "u,i\n";
    if (round % 15 == 0) text.assign(noise, 0, random() % 4);
    for (auto more = round % 15 == 0 ? random() % 4 : random() % 60; more > 0; --more) {
      if (round % 3 == 0) {
        text += noise[random() % noise.size()];
      } else {
        text += pieces[random() % (round % 3 == 1 ? 7 : pieces.size())];
      }
    }
    const auto wanted = places_wanted(text);
    ASSERT_EQ(places_read(scratch.write("r.csv", text), std::ssize(text), false), wanted)
        << ::testing::PrintToString(text);
    if (round % 10 == 0) {
      ASSERT_EQ(places_read(scratch.write("r.csv.gz", gzipped(text)), 0, true), wanted);
    }
  }
}

// Fields as long as a block and longer, up to the limit and beyond it; ranges that hold no start of a record.
TEST(RecordsOfRanges, MayBeLongerThanTheRanges) {
  const Scratch scratch;
  std::string lines;
  while (lines.size() < (std::size_t{1} << 20) - 100) lines += "a line, with \"\"quotes\"\" in it\n";
  const auto in_quotes = [](const std::string& field) { return std::string("\"").append(field).append("\""); };
  const auto just_fits = std::string("u1,").append(in_quotes(lines)).append("\n");
  const auto too_long = std::string("u2,").append(in_quotes(lines + lines)).append("\n");
  const auto two_long = in_quotes(lines).append(",").append(in_quotes(lines)).append(",");
  const std::vector<std::string> texts{
      std::string("u,i\n").append(just_fits, 0, 1 << 19).append("\"\nu,i\n"),
      std::string(just_fits).append("u,i\n"),
      std::string("u,i\n").append(too_long).append("u,i\n"),
      std::string(just_fits).append(just_fits).append(two_long).append(two_long).append("x\nu,i\n"),
      std::string("u,i\n").append(5 << 20, 'x').append(",\"a\nb\"\nu,i\nu,\"open").append(lines),
  };
  for (const auto& text : texts) {
    const auto wanted = places_wanted(text);
    EXPECT_EQ(places_read(scratch.write("r.csv", text), std::ssize(text), false), wanted);
    EXPECT_EQ(places_read(scratch.write("r.csv.gz", gzipped(text)), 0, true), wanted);
  }
}

Whole prepared(const std::string& path, double max_bad_lines = 0) {
  InputConfig input;
  input.interactions = {path};
  return whole(prepare(world(), input, {"keep", 1, 1, 0, max_bad_lines}, {}, 1).dataset);
}

TEST(RecordsOfRanges, AStrayQuoteCostsItsLineOnly) {
  const Scratch scratch;
  std::string text = "user,item,rating\n";
  std::string good = text;
  for (int i = 0; i < 400; ++i) {
    std::string line = "u";
    line.append(std::to_string(i % 40)).append(",\"i, ").append(std::to_string(i % 7)).append("\",3\n");
    text += line;
    good += line;
    if (i % 100 == 50) text += "u1,\"stray,4\n";
  }
  text += "u1,\"stray at the end,4\n";
  const auto wanted = prepared(scratch.write("good.csv", good));
  for (const auto& path : {scratch.write("s.csv", text), scratch.write("s.csv.gz", gzipped(text))}) {
    const auto got = prepared(path, 5);
    EXPECT_EQ(got.interactions, wanted.interactions);
    EXPECT_EQ(got.users, wanted.users);
    try {
      prepared(path, 4);
      ADD_FAILURE() << "no error";
    } catch (const InputError& error) {
      const std::string message = error.what();
      for (const std::string part : {":53: ", ":154: ", ":406: ", "double quote is in column 4", "5 of 405"}) {
        EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
      }
    }
  }
}

// One rule for every format: blanks around a field are none of it; inside quotes they are.
TEST(Fields, BlanksAndLineEndsAreTheSameInEveryFormat) {
  const Scratch scratch;
  const std::map<IdPair, std::pair<float, double>> wanted{
      {{"u1", "i 1"}, {5, 10}}, {{"u2", "i2"}, {.5, -3}}, {{"7", "42"}, {1e3, 7}}};
  const std::vector<std::pair<std::string, std::string>> files{
      {"b.tsv", " u1\ti 1 \t5 \t 10\nu2 \t i2\t+.5\t -3\n 7\t42 \t 1e3 \t7.0\n"},
      {"b.csv", " u1, i 1 ,5 , 10\nu2\t,\ti2,+.5, -3\n  \n 7,42 , 1e3 ,7.0\n"},
      {"q.csv", " \"u1\" ,\"i 1\", \"5\", \" 10 \"\r\n\r\n\"u2\",i2,\"+.5\",-3\r\r\n\"7\",\"42\",1e3,7\r\n"},
      {"b.dat", " u1::i 1 ::5 :: 10\nu2 :: i2::+.5:: -3\n 7::42 :: 1e3 ::7.0"},
      {"mac.csv", "u1,i 1,5,10\ru2,i2,.5,-3\r7,\"42\",1e3,7"},
      {"mac.tsv", "\xEF\xBB\xBFu1\ti 1\t5\t10\r\ru2\ti2\t.5\t-3\r7\t42\t1e3\t7\r"},
  };
  for (const auto& [name, text] : files) {
    EXPECT_EQ(prepared(scratch.write(name, text)).interactions, wanted) << name;
    EXPECT_EQ(prepared(scratch.write(name + ".gz", gzipped(text))).interactions, wanted) << name;
  }
}

TEST(Fields, QuotesAreCharactersUnlessTheyOpenAField) {
  const Scratch scratch;
  const auto got = prepared(scratch.write(
      "q.csv",
      "u1,a \"x\",5\nu1,a x,5\nu1,\"a \"\"x\"\"\",5\nu1,\" a x\",1\nu1,\"two\r\nlines\",2\nu1,\"tab\there\",2\n"));
  EXPECT_EQ(got.items, (std::vector<std::string>{"a x", " a x", "a \"x\"", "tab\there", "two\r\nlines"}));
  EXPECT_EQ(got.interactions.at({"u1", "a \"x\""}).first, 10);
  EXPECT_EQ(prepared(scratch.write("q.tsv", "u1\t\"a\"\nu1\t\"b\n")).items, (std::vector<std::string>{"\"b", "\"a\""}));
}

}  // namespace
}  // namespace cohort
