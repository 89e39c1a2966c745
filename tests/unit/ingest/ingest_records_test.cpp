// Records of csv with quotes as blocks cut them, against the rule applied to the whole text; numbers; what no line may
// hold.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/csv_field.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/quoted_record.hpp"
#include "ingest/records/record_cutter.hpp"
#include "support/csv_reference.hpp"
#include "support/text_source.hpp"

namespace cohort {
namespace {

using testing_support::TextSource;

using testing_support::reference_records;
using testing_support::ReferenceRecord;

std::vector<std::string> fields_of(const RecordCutter& record) {
  std::vector<std::string> fields;
  auto* p = record.begin();
  for (;; ++p) {
    const auto field = take_quoted_field(p, record.end());
    fields.emplace_back(field.begin, field.end);
    if (p == record.end()) return fields;
  }
}

std::vector<ReferenceRecord> cut(const std::string& text, std::size_t block_bytes, std::size_t limit) {
  TextSource source(text);
  BlockReader::Options options;
  options.block_bytes = block_bytes;
  options.line_limit = limit;
  options.quotes = true;
  options.first_line = 1;
  BlockReader reader(source, 0, options);
  std::vector<ReferenceRecord> records;
  for (LineBlock block; reader.next(block);) {
    if (block.oversized) {
      records.push_back({static_cast<std::size_t>(block.offset), block.lines, true, {}});
      continue;
    }
    RecordCutter cutter(block, {.quotes = true, .limit = limit});
    while (cutter.next()) {
      const auto begin = block.offset + (cutter.begin() - block.text);
      records.push_back({static_cast<std::size_t>(begin), cutter.lines(), !cutter.fault().empty(), {}});
      const auto line = 1 + std::count(text.begin(), text.begin() + cutter.offset(), '\n');
      EXPECT_EQ(cutter.line_number(), line);
      if (cutter.fault().empty()) {
        records.back().fields = fields_of(cutter);
      }
    }
  }
  return records;
}

TEST(Records, AreCutByTheRuleWhateverTheBlocks) {
  std::mt19937 random(11);
  const std::string letters = "ab,,\"\"\"\n\n\r \t";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto more = random() % 90; more > 0; --more) text += letters[random() % letters.size()];
    const std::size_t limit = 4 + random() % 40;
    const auto wanted = reference_records(text, limit);
    for (const std::size_t block_bytes : {4, 16, 1000}) {
      ASSERT_EQ(cut(text, block_bytes, limit), wanted)
          << ::testing::PrintToString(text) << " limit " << limit << " blocks " << block_bytes;
    }
  }
}

struct Fault {
  std::string text;
  std::int64_t line = 0;
};

// Of the first malformed record.
Fault fault_of(std::string text, RecordCutter::Rules rules = {.quotes = true, .limit = 1 << 20}) {
  if (!text.ends_with('\n')) text += '\n';
  const LineBlock block{.text = text.data(), .size = text.size(), .offset = 100, .line = 1};  // cutters refer to theirs
  RecordCutter cutter(block, rules);
  while (cutter.next()) {
    if (!cutter.fault().empty()) return {cutter.fault(), cutter.line_number()};
  }
  return {};
}

TEST(Records, FaultsNameLineColumnAndByte) {
  auto fault = fault_of("u1,x\n\"a\nb\",caf\xC3\xA9 \"q\"\nu2,\"open\n\nu3,i3\nu4,\"x\"\n");
  EXPECT_EQ(fault.line, 4);
  EXPECT_NE(fault.text.find("double quote is in column 4 "), std::string::npos) << fault.text;
  fault = fault_of("\"a\nb\",\"c\"d\nu,i\n");
  EXPECT_EQ(fault.line, 2) << "where the quote opened, not where the record began";
  fault = fault_of("u,i\n\"two\nlines, caf\xE9\",5\n");
  EXPECT_EQ(fault.line, 3);
  EXPECT_NE(fault.text.find("the byte 0xE9 in column 11 is not UTF-8"), std::string::npos) << fault.text;
  EXPECT_NE(fault.text.find("iconv"), std::string::npos);
  EXPECT_EQ(fault_of("u,i\na\rb,i\n").line, 2);
  EXPECT_NE(fault_of("u,i\na\rb,i\n").text.find("carriage return"), std::string::npos);
  EXPECT_EQ(fault_of("u,\"a\rb\r\nc\"\r\r\n").text, "") << "inside quotes it is a character";
  EXPECT_NE(fault_of("u,\"a\",b\rc\n").text.find("carriage return"), std::string::npos);
  EXPECT_NE(fault_of(std::string("u,\"a\0b\"", 7)).text.find("NUL"), std::string::npos);
  EXPECT_NE(fault_of("u,i\n\xEF\xBB\xBFu,i\n").text.find("byte order mark"), std::string::npos);
  EXPECT_EQ(fault_of("u\t\"x\ny\t\"", {.tabs = true, .limit = 100}).text, "") << "only csv has quotes";
}

// Every short text of what matters to readers, between two other fields, as a record of its own.
TEST(Records, WhatIsWrittenAsCsvReadsBack) {
  const std::vector<std::string> letters{"a", " ", "\t", ",", "\"", "\r", "\n", "\xEF\xBB\xBF"};
  std::vector<std::string> texts{""};
  for (std::size_t begin = 0, length = 0; length < 4; ++length) {
    const auto end = texts.size();
    for (; begin < end; ++begin) {
      for (const auto& letter : letters) texts.push_back(texts[begin] + letter);
    }
  }
  std::string file = "user,item,weight\n";
  for (const auto& text : texts) file += csv_field(text) + ",item," + csv_field(text) + "\n";
  const auto records = cut(file, 64, 1U << 20);
  ASSERT_EQ(records.size(), texts.size() + 1);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_FALSE(records[i + 1].malformed);
    ASSERT_EQ(records[i + 1].fields, (std::vector<std::string>{texts[i], "item", texts[i]}));
  }
}

// As Python's csv module writes them with its minimal quoting, but for what readers would take away.
TEST(Records, OnlyFieldsThatNeedQuotesHaveThem) {
  for (const std::string plain : {"", "u1", "a b", "a\tb", "it's", "\x01", "\x1B[31m", "d\xC3\xA9j\xC3\xA0 vu", ";"}) {
    EXPECT_EQ(csv_field(plain), plain);
  }
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(" x"), "\" x\"");
  EXPECT_EQ(csv_field("x\t"), "\"x\t\"");
  EXPECT_EQ(csv_field("\xEF\xBB\xBFx"), "\"\xEF\xBB\xBFx\"");
}

TEST(Records, AQuotedFieldMayHoldOneMebibyte) {
  const std::string mebibyte(1 << 20, 'x');
  EXPECT_EQ(fault_of("\"" + mebibyte + "\"\nu,i\n", {.quotes = true, .limit = 1 << 21}).text, "");
  std::string broken;
  for (int i = 0; i < 1000; ++i) broken += std::string(1047, 'x') + "\n";
  const auto fault = fault_of("u,i\nu,\"" + broken + broken + "\"\nu,i\n");
  EXPECT_EQ(fault.line, 2);
  EXPECT_NE(fault.text.find("within 1 MiB"), std::string::npos);
}

TEST(Numbers, AreReadOrRefusedWithAReason) {
  const std::vector<std::pair<std::string, double>> good{{"5", 5},
                                                         {"+5", 5},
                                                         {"-5", -5},
                                                         {"5.0", 5},
                                                         {"5.", 5},
                                                         {".5", .5},
                                                         {"1e3", 1000},
                                                         {"1E+3", 1e3},
                                                         {"+1e-2", .01},
                                                         {"007", 7},
                                                         {"1e-400", 0},
                                                         {"-0", -0.0},
                                                         {"18446744073709551616", 18446744073709551616.0}};
  for (const auto& [text, value] : good) {
    EXPECT_EQ(read_number(text).fault, nullptr) << text;
    EXPECT_EQ(read_number(text).value, value) << text;
  }
  for (const std::string text :
       {"",    "+",    "-",        "+-5",   "++5", "0x10", "1,5", "1_000", "5 ",    " 5", "five", "nan",
        "inf", "-inf", "Infinity", "1e400", "1e",  "--1",  "5kg", "NA",    "1.2.3", "٣",  "e5",   "."}) {
    EXPECT_NE(read_number(text).fault, nullptr) << text;
  }
  EXPECT_NE(std::string(read_number("1,5").fault).find("point"), std::string::npos);
  EXPECT_EQ(std::string(read_number("1e400").fault), "is not finite");
}

}  // namespace
}  // namespace cohort
