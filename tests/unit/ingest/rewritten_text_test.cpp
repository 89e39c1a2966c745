// Text in dialects of CSV, read in short pieces: every record comes out as it was before it was written, against a
// writer of each dialect and the reference reader of csv; what is malformed costs its own lines alone.
#include "ingest/files/rewritten_text.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "ingest/records/dialect_choice.hpp"
#include "support/csv_reference.hpp"
#include "support/text_source.hpp"

namespace cohort {
namespace {

using testing_support::reference_records;
using testing_support::TextSource;
using Records = std::vector<std::vector<std::string>>;

constexpr std::size_t limit = 200;

std::string read_all(const std::string& text, const Dialect& dialect) {
  RewrittenText source(std::make_unique<TextSource>(text), dialect, limit);
  std::string result;
  char piece[5];
  for (std::size_t got = 0; (got = source.read(piece, sizeof(piece))) > 0;) result.append(piece, got);
  return result;
}

// The reference knows commas alone.
Records parsed(const std::string& made, const Dialect& dialect) {
  std::string text;
  for (const char c : made) text += c == separator_after(dialect) ? ',' : c;
  Records records;
  for (const auto& record : reference_records(text, 1'000'000)) records.push_back(record.fields);
  return records;
}

// Every field with what its dialect knows: quotes, separators, backslashes and line ends inside.
std::string written(const Records& records, const Dialect& dialect, std::minstd_rand& draw) {
  std::string text;
  for (const auto& record : records) {
    for (std::size_t c = 0; c < record.size(); ++c) {
      if (c > 0)
        text += dialect.separator == " " ? std::string(1 + draw() % 3, draw() % 2 ? ' ' : '\t') : dialect.separator;
      if (dialect.quotes) text += '"';
      for (const char byte : record[c]) {
        if (dialect.letters && byte == '\t') {
          text += "\\t";
          continue;
        }
        const bool special = byte == '"' || byte == '\\' || byte == '\n' || dialect.separator.find(byte) == 0;
        if (dialect.escapes && special) text += '\\';
        if (!dialect.escapes && byte == '"') text += '"';
        text += byte;
      }
      if (dialect.quotes) text += '"';
    }
    text += draw() % 2 ? "\n" : "\r\n";
  }
  return text;
}

TEST(RewrittenText, GivesBackWhatWasWritten) {
  std::minstd_rand draw(3);
  const std::vector<Dialect> dialects{{.separator = "||", .quotes = true},
                                      {.separator = "|~|", .quotes = true},
                                      {.separator = ",", .quotes = true, .escapes = true},
                                      {.separator = ";", .escapes = true},
                                      {.separator = "\t", .escapes = true, .letters = true},
                                      {.separator = " ", .quotes = true},
                                      {.separator = " ", .quotes = true, .escapes = true}};
  for (const auto& dialect : dialects) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      // A comma is what the reference reads for the separator that is made.
      const std::string_view alphabet = dialect.quotes || dialect.escapes ? "ab\"\\\n" : "ab";
      Records records;
      for (int r = 0; r < 20; ++r) {
        auto& record = records.emplace_back();
        for (int c = 0; c < 3; ++c) {
          std::string field = "x";
          for (auto length = draw() % 6; length > 0; --length) field += alphabet[draw() % alphabet.size()];
          record.push_back(field + "y");
        }
      }
      const auto text = written(records, dialect, draw);
      EXPECT_EQ(parsed(read_all(text, dialect), dialect), records) << dialect.separator << "\n" << text;
    }
  }
}

TEST(RewrittenText, EscapesWhatTheyMean) {
  const Dialect dump{.separator = "\t", .escapes = true, .letters = true};
  EXPECT_EQ(read_all("a\\tb\t\\\\N\t\\N\t\\q\n", dump), "a\tb\x01\\N\x01\\N\x01\\q\n");
  const Dialect quoted{.separator = ",", .quotes = true, .escapes = true};
  EXPECT_EQ(read_all("\"say \\\"hi\\\", \"\"x\"\"\",C:\\dir\n", quoted), "\"say \"\"hi\"\", \"\"x\"\"\",C:\\dir\n");
}

TEST(RewrittenText, KeepsTheNumbersOfLines) {
  const Dialect dialect{.separator = "||", .quotes = true};
  // The quote of line 4 is followed by something, that of line 6 is never closed.
  const auto made = read_all("a||b\n\"c\nd\"||e\nf||\"g\" h\ni||j\nk||\"l\nm||n\n", dialect);
  EXPECT_EQ(made,
            "a\x01"
            "b\n\"c\nd\"\x01"
            "e\n   \".\" .\ni\x01"
            "j\n   \".\" .\nm\x01"
            "n\n");
}

// Lines that letters end are made of none: the number of every line is asked back.
TEST(RewrittenText, KnowsTheLinesOfItsSource) {
  const Dialect dump{.separator = "\t", .escapes = true, .letters = true};
  const std::string text = "a\\nb\t1\n\nc\\\nd\t\\n\\n\ne\t2\n";
  EXPECT_EQ(read_all(text, dump),
            "\"a\nb\"\x01"
            "1\n\n\"c\nd\"\x01\"\n\n\"\ne\x01"
            "2\n");
  const std::vector<std::int64_t> expected{1, 1, 2, 3, 4, 4, 4, 5};
  for (std::size_t made = 0; made < expected.size(); ++made) {
    RewrittenText source(std::make_unique<TextSource>(text), dump, limit);
    EXPECT_EQ(source.source_line(static_cast<std::int64_t>(made) + 1), expected[made]) << made;
  }
}

TEST(RewrittenText, NamesWhatTheFirstLineLacks) {
  EXPECT_EQ(read_all("user item\n1 a b\n", {.separator = " ", .row_names = true}),
            "\x01user\x01item\n1\x01"
            "a\x01"
            "b\n");
  EXPECT_EQ(read_all("user,item\na,b,\n", {.separator = ",", .ended = true}), "user,item,\na,b,\n");
}

// What is as usual stays so.
TEST(DialectChoice, LeavesUsualTextAlone) {
  for (const std::string line :
       {"u1,i1,5", "u1\ti1\t5", "u1;;i1;5", "u1|i1||", "u1::i1::5", "u1 i1 5", "u1,\"say \"\"hi\"\"\",5",
        "u1\tC:\\new\t5", "u1,\"C:\\dir\\\",5", "{\"user\": \"a\\\"b\"}", "u1,i1,$$5", "u1,a || b,5"}) {
    std::string text;
    for (int n = 0; n < 5; ++n) text += line + "\n";
    EXPECT_TRUE(tell_dialect(text, {}).as_usual()) << line;
  }
}

TEST(DialectChoice, TellsSeveralCharacters) {
  for (const std::string separator : {"||", ";;", "|~|", "\t|\t", "@@", "||~||", "^|^", "##", "::::", "\t\t"}) {
    std::string text;
    for (int n = 0; n < 5; ++n) text.append("u1").append(separator).append("i").append(separator).append("5\n");
    EXPECT_EQ(tell_dialect(text, {}).separator, separator);
  }
  EXPECT_EQ(several_characters("\\t|\\t"), "\t|\t");
  EXPECT_EQ(several_characters("->"), "->");
  for (const std::string none : {"auto", "tab", "::", ",", "ab", "  ", "|\n", "\"\""})
    EXPECT_EQ(several_characters(none), "");
}

}  // namespace
}  // namespace cohort
