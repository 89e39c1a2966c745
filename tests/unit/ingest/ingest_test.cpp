// The pieces of reading in one process: layouts, blocks of lines, ids, records, gzip, SHA-256.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "comm/distribution.hpp"
#include "core/error.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/byte_source.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/file_layout.hpp"
#include "ingest/records/leading_digits.hpp"
#include "ingest/records/record_parser.hpp"
#include "support/text_source.hpp"

namespace cohort {
namespace {

using testing_support::TextSource;

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    path_ = (std::filesystem::temp_directory_path() / ("cohort-ingest-unit-" + std::to_string(::getpid()))).string();
    std::ofstream(path_, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

FileLayout layout_of(const std::string& text, const std::string& name = "f.txt", FileRole role = FileRole::interactions,
                     const ColumnChoice& columns = {}, InputFormat format = InputFormat::automatic) {
  return detect_layout(text, name, {role, format, columns, {}}).layout;
}

TEST(Layout, IsToldFromNameAndContent) {
  EXPECT_EQ(layout_of("1\t2\t3\n").format, TextFormat::tsv);
  EXPECT_EQ(layout_of("1,2,3\n").format, TextFormat::csv);
  EXPECT_EQ(layout_of("1::2::3::4\n").format, TextFormat::ml);
  EXPECT_EQ(layout_of("user_id:token\titem_id:token\n1\t2\n").format, TextFormat::inter);
  EXPECT_EQ(layout_of("1 2\n2 3\n").format, TextFormat::ssv);
  EXPECT_EQ(layout_of("0 1 2 3\n1 2\n2\n3 4 5\n").format, TextFormat::lightgcn);
  EXPECT_EQ(layout_of("user item rating\n1 2 3\n").format, TextFormat::ssv);
  EXPECT_EQ(layout_of("1 2 1\n2 3 1\n", "f.txt", FileRole::social).format, TextFormat::ssv);
  EXPECT_EQ(layout_of("name with, comma\tx\n", "f.tsv.gz").format, TextFormat::tsv);
  EXPECT_EQ(layout_of("1 2 3\n", "f.txt", FileRole::interactions, {}, InputFormat::lightgcn).columns, 0);
  EXPECT_THROW(layout_of("1 2 3\n"), InputError);
  EXPECT_THROW(layout_of("a b\nc d e\nf\ng h i j\n"), InputError) << "words are no adjacency list";
}

TEST(Layout, ColumnsAndHeaders) {
  const auto bare = layout_of("1\t2\t3\t4\t5\n");
  EXPECT_EQ(std::tuple(bare.first, bare.second, bare.weight, bare.time, bare.data_begin), std::tuple(0, 1, 2, 3, 0));
  const auto named = layout_of("\xEF\xBB\xBFtimestamp,Rating,movieId,userId\n1,2,3,4\n");
  EXPECT_EQ(std::tuple(named.first, named.second, named.weight, named.time), std::tuple(3, 2, 1, 0));
  EXPECT_EQ(named.data_begin, 3 + 32);
  EXPECT_EQ(named.header_lines, 1);
  const auto typed = layout_of("rating:float\tuser_id:token\tartist_id:token\n1\t2\t3\n");
  EXPECT_EQ(std::tuple(typed.first, typed.second, typed.weight, typed.time), std::tuple(1, 2, 0, -1));
  const auto net = layout_of("source_id:token\ttarget_id:token\n1\t2\n", "x.net", FileRole::social);
  EXPECT_EQ(std::tuple(net.first, net.second, net.weight), std::tuple(0, 1, -1));
  const auto asked = layout_of("a;b,who,what\n1,2,3\n", "f.csv", FileRole::interactions,
                               {{"user", "who"}, {"item", "what"}, {"source", "x"}});
  EXPECT_EQ(std::tuple(asked.first, asked.second, asked.weight), std::tuple(1, 2, -1));
  const auto events = layout_of("user,item,event_type,timestamp\n1,2,view,3\n");
  EXPECT_EQ(std::tuple(events.event, events.time, events.weight), std::tuple(2, 3, -1));
  EXPECT_EQ(layout_of("user_id:token\tbehavior:token\titem_id:token\n1\t2\t3\n").second, 2);
  EXPECT_EQ(layout_of("user_id:token\taction:token\n1\t2\n").second, 1) << "no other column can be the item";
  EXPECT_EQ(layout_of("user_id:token\taction:token\n1\t2\n").event, 1);
  const auto by_index = layout_of("1\t2\tview\n", "f.tsv", FileRole::interactions, {{"event", "2"}});
  EXPECT_EQ(std::tuple(by_index.event, by_index.weight), std::tuple(2, -1));
  EXPECT_THROW(layout_of("1\t2\n", "f.tsv", FileRole::interactions, {{"event", "1"}}), InputError);
  const auto labels = layout_of("node class\nx y\n", "l.txt", FileRole::labels);
  EXPECT_EQ(labels.header_lines, 1);
}

TEST(BlockReader, RangesTogetherReadEveryLineOnce) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    std::string text;
    std::map<std::int64_t, std::string> wanted;
    for (int line = 0; line < 40; ++line) {
      const std::string content(random() % (round % 3 == 0 ? 200 : 12), static_cast<char>('a' + line % 26));
      wanted[std::ssize(text)] = content;
      text.append(content).append("\n");
    }
    if (round % 2) {
      text.pop_back();  // the last line may lack its end
      if (wanted.rbegin()->second.empty()) wanted.erase(std::prev(wanted.end()));
    }
    const TemporaryFile stored(text);
    for (const int ranks : {1, 2, 3, 7, 64}) {
      std::map<std::int64_t, std::string> got;
      const auto ranges = Distribution::even(std::ssize(text), ranks);
      for (int r = 0; r < ranks; ++r) {
        PlainFile file(stored.path());
        BlockReader::Options options;
        options.block_bytes = 16;
        options.line_limit = 1000;
        options.end = ranges.end(r);
        const auto start = seek_first_line(file, 0, ranges.begin(r), options.end);
        BlockReader reader(file, start, options);
        LineBlock block;
        while (reader.next(block)) {
          ASSERT_FALSE(block.oversized);
          ASSERT_EQ(block.text[block.size - 1], '\n');
          for (std::size_t at = 0; at < block.size;) {
            const auto end =
                static_cast<std::size_t>(std::find(block.text + at, block.text + block.size, '\n') - block.text);
            const auto offset = block.offset + static_cast<std::int64_t>(at);
            ASSERT_TRUE(got.emplace(offset, std::string(block.text + at, end - at)).second);
            at = end + 1;
          }
        }
      }
      ASSERT_EQ(got, wanted) << ranks;
    }
  }
}

TEST(BlockReader, SkipsLinesAboveTheLimitAndCounts) {
  const std::string limit(50, 'x');
  TextSource source("a\n" + limit + "\n" + limit + "x\nb\n" + std::string(500, 'y'));
  BlockReader::Options options;
  options.block_bytes = 8;
  options.line_limit = 50;
  options.first_line = 1;
  BlockReader reader(source, 0, options);
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> got;
  LineBlock block;
  while (reader.next(block)) {
    got.emplace_back(block.oversized ? "(long)" : std::string(block.text, block.size), block.offset, block.line);
  }
  const std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> wanted{
      {"a\n", 0, 1}, {limit + "\n", 2, 2}, {"(long)", 53, 3}, {"b\n", 105, 4}, {"(long)", 107, 5}};
  EXPECT_EQ(got, wanted);
}

TEST(LeadingDigits, AreThoseOfFromChars) {
  std::mt19937_64 random(4);
  const std::string others = "\n\t,:;/ aZ~\x7f\x80\xff\xb5-.";
  for (int i = 0; i < 100'000; ++i) {
    const auto length = random() % 19;
    std::string text;
    for (std::size_t d = 0; d < length; ++d) text += static_cast<char>('0' + random() % 10);
    text += others[random() % others.size()];
    const auto number_end = text.size() - 1;
    for (auto more = random() % 12; more > 0; --more) text += static_cast<char>(random() % 256);
    std::uint64_t expected = 0;
    const auto* const begin = text.data();
    std::from_chars(begin, begin + length, expected);
    for (const auto* readable : {begin + text.size(), begin + number_end}) {
      const auto found = leading_digits(begin, begin + number_end, readable);
      ASSERT_EQ(found.count, static_cast<std::ptrdiff_t>(length)) << text;
      ASSERT_EQ(found.value, expected) << text;
    }
  }
}

TEST(Interner, NumbersAreFoundAgainHoweverTheyLie) {
  std::mt19937_64 random(9);
  const std::vector<std::pair<const char*, std::uint64_t>> ranges{
      {"dense", 20'000}, {"half", 200'000}, {"sparse", 100'000'000'000'000'000}, {"few bits", 1 << 10}};
  for (const auto& [what, range] : ranges) {
    SCOPED_TRACE(what);
    IdInterner interner;
    std::map<std::uint64_t, std::uint32_t> expected;
    for (int i = 0; i < 60'000; ++i) {
      // Most from the range; some far beyond it, some multiples of a large power of two.
      auto value = random() % range;
      if (i % 10 == 0) value = (random() % 3000) << 40;
      if (i % 11 == 0) value = 1'000'000 + static_cast<std::uint64_t>(i) % 700;
      const auto next = static_cast<std::uint32_t>(expected.size());
      const auto [found, is_new] = expected.try_emplace(value, next);
      const Token token{value, nullptr, 0};
      interner.prefetch(token);
      ASSERT_EQ(interner.intern(token), found->second) << value;
    }
    ASSERT_EQ(interner.size(), std::ssize(expected));
    const auto ids = interner.take_ids();
    for (const auto& [value, id] : expected) ASSERT_EQ(ids[id], std::to_string(value));
    EXPECT_EQ(interner.size(), 0);
    EXPECT_EQ(interner.intern(Token{7, nullptr, 0}), 0U) << "as new";
  }
}

// Texts of every length up to where eight bytes at a time matter no more, and their neighbours that differ in one byte.
TEST(Interner, TextsThatDifferInOneByteAreTwo) {
  std::set<std::string> texts;
  for (std::size_t length = 1; length <= 40; ++length) {
    const std::string text(length, 'x');
    texts.insert(text);
    for (std::size_t at = 0; at < length; ++at) {
      for (const char other : {'y', '\x80', '0'}) {
        auto changed = text;
        changed[at] = other;
        texts.insert(changed);
      }
    }
  }
  IdInterner interner;
  std::uint32_t next = 0;
  for (const auto& text : texts) EXPECT_EQ(interner.intern(make_token(text)), next++);
  next = 0;
  for (const auto& text : texts) EXPECT_EQ(interner.find(std::string(text)), next++);
}

TEST(Interner, NumbersAndStringsAreOneKindOfId) {
  IdInterner interner;
  std::map<std::string, std::uint32_t> known;
  std::mt19937_64 random(2);
  std::vector<std::string> texts{"0", "00", "7", "07", "999999999999999999", "1000000000000000000", "-1", "1.0", "x"};
  for (int i = 0; i < 20'000; ++i) {
    auto text = std::to_string(random() >> (random() % 60));
    if (i % 3 == 0) text.insert(0, "id");
    texts.push_back(text);
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& text : texts) {
      const auto id = interner.intern(make_token(text));
      EXPECT_EQ(known.emplace(text, id).first->second, id);
    }
  }
  const auto ids = interner.take_ids();
  ASSERT_EQ(ids.block_size(), std::ssize(known));
  for (const auto& [text, id] : known) EXPECT_EQ(ids[id], text);
}

struct Parsed {
  std::vector<std::tuple<std::string, std::string, float, double>> records;
  ParseTally tally;
};

Parsed parse(std::string text, const FileLayout& layout, const WeightRule& rule = {}) {
  IdInterner first;
  IdInterner second;
  LocalPairs pairs;
  pairs.has_time = layout.time >= 0;
  Parsed result;
  RecordParser parser(0, layout, "", rule, first, second, pairs, result.tally);
  auto* data = text.data() + layout.data_begin;
  parser.parse({data, text.size() - static_cast<std::size_t>(layout.data_begin), layout.data_begin, 0, false});
  const auto first_ids = first.take_ids();
  const auto second_ids = second.take_ids();
  for (std::size_t i = 0; i < pairs.first.size(); ++i) {
    result.records.emplace_back(first_ids[pairs.first[i]], second_ids[pairs.second[i]], pairs.weight[i],
                                pairs.has_time ? pairs.time[i] : 0.0);
  }
  return result;
}

TEST(RecordParser, ReadsWhatAPlainSplitReads) {
  std::mt19937 random(3);
  for (const std::string separator : {"\t", ",", "::"}) {
    std::string text;
    std::vector<std::tuple<std::string, std::string, float, double>> wanted;
    for (int i = 0; i < 500; ++i) {
      const auto user = std::string(i % 4 ? "" : "u:") + std::to_string(random() % 100);
      const auto item = std::string(i % 5 ? "" : "0") + std::to_string(random() % 1000);
      const auto weight = static_cast<float>(random() % 100) / 8;
      const auto time = static_cast<double>(random());
      std::ostringstream line;
      line.precision(17);
      line << user << separator << item << separator << weight << separator << time << separator << "rest" << i;
      text.append(line.str()).append(i % 7 ? "\n" : "\r\n");
      wanted.emplace_back(user, item, weight, time);
    }
    const auto parsed = parse(text, layout_of(text));
    EXPECT_EQ(parsed.tally.bad_lines, 0);
    EXPECT_EQ(parsed.records, wanted) << separator;
  }
}

// What is no date among dates of digits alone is no number of seconds either: times would be out of order.
TEST(RecordParser, DatesOfDigitsAlone) {
  const std::string head = "user\titem\ttime\nu\ta\t2014010123\nu\tb\t2014010201\n";
  const auto layout = layout_of(head);
  ASSERT_TRUE(layout.compact_dates);
  constexpr double new_year = 1388534400;
  const auto parsed = parse(head + "u\tc\t2014010124\nu\td\t2014013024\nu\te\t20140131\n", layout);
  std::vector<double> hours;
  for (const auto& record : parsed.records) hours.push_back((std::get<3>(record) - new_year) / 3600);
  EXPECT_EQ(hours, (std::vector<double>{23, 25, 24, 720, 720}));
  for (const std::string wrong : {"2014010125", "20140230", "1400000000", "0", "2014010124:30", "201401012401"}) {
    const auto text = head + "u\tc\t" + wrong + "\n";
    const auto left_out = parse(text, layout);
    EXPECT_EQ(left_out.tally.unread_times, 1) << wrong;
    EXPECT_EQ(std::get<3>(left_out.records.at(2)), 0) << wrong;
    WeightRule needed;
    needed.times_needed = true;
    EXPECT_EQ(parse(text, layout, needed).tally.bad_lines, 1) << wrong;
  }
}

TEST(RecordParser, WeightsInEveryNotation) {
  const std::string text = "1\t1\t3\n1\t2\t3.50\n1\t3\t1e2\n1\t4\t.5\n1\t5\t 7 \n1\t6\t0\n1\t7\t-0\n1\t8\t4294967296\n";
  const auto layout = layout_of(text);
  const auto parsed = parse(text, layout);
  std::vector<float> weights;
  for (const auto& record : parsed.records) weights.push_back(std::get<2>(record));
  EXPECT_EQ(weights, (std::vector<float>{3, 3.5, 100, .5, 7, 0, 0, 4294967296}));
  const auto ruled = parse(text, layout, {3.5, true, {}});
  EXPECT_EQ(ruled.records.size(), 4U);
  EXPECT_EQ(ruled.tally.below_min_weight, 4);
  EXPECT_EQ(parse(text, layout, {0, true, {}}).tally.zero_weight, 2);
}

TEST(RecordParser, EventsWeighRecords) {
  const std::string text =
      "user,item,event,rating\n1,1,view,3\n1,2,buy,2\n1,3,\"add, to cart\",.1\n1,4,spam,9\n1,5, view ,0\n1,6,hug,1\n"
      "1,7,buy,3e38\n1,8,view,1\n";
  const auto layout = layout_of(text, "e.csv");
  const WeightRule rule{0.75, true, {{"add, to cart", 3.0}, {"buy", 1.7}, {"spam", 0.0}, {"view", 0.5}}};
  const auto parsed = parse(text, layout, rule);
  const std::vector<std::tuple<std::string, std::string, float, double>> wanted{
      {"1", "1", 1.5F, 0.},
      {"1", "2", static_cast<float>(2 * 1.7), 0.},
      {"1", "7", std::numeric_limits<float>::max(), 0.}};
  EXPECT_EQ(parsed.records, wanted);
  EXPECT_EQ(parsed.tally.dropped_events, 1);
  EXPECT_EQ(parsed.tally.below_min_weight, 3) << "items 3, 5 and 8, after the event's weight";
  ASSERT_EQ(parsed.tally.bad_lines, 1);
  const auto& reason = parsed.tally.first_bad_lines[0].reason;
  EXPECT_EQ(
      reason,
      "the event \"hug\" is not in graph.event_weights (add, to cart, buy, spam, view); add it there, with weight 0 "
      "to drop such records");
  EXPECT_EQ(parse(text, layout).records.size(), 8U) << "without weights of events they are not looked at";
}

TEST(RecordParser, BadLinesLeaveNothingBehind) {
  const std::string text = "1 2 3\n4 5\n6\n7 " + std::string(2000, 'z') + " 8\n9 10\n";
  const auto parsed = parse(text, layout_of(text, "f.txt", FileRole::interactions, {}, InputFormat::lightgcn));
  const std::vector<std::tuple<std::string, std::string, float, double>> wanted{
      {"1", "2", 1.F, 0.}, {"1", "3", 1.F, 0.}, {"4", "5", 1.F, 0.}, {"9", "10", 1.F, 0.}};
  EXPECT_EQ(parsed.records, wanted);
  EXPECT_EQ(parsed.tally.lines, 5);
  ASSERT_EQ(parsed.tally.bad_lines, 1);
  EXPECT_EQ(parsed.tally.first_bad_lines[0].offset, 12);

  const std::string csv = "u,\"i \"\"1\"\", x\"\n\"u,2\", i2 \nu,\"open\n\"12\",3\n";
  const auto quoted = parse(csv, layout_of(csv, "q.csv"));
  const std::vector<std::tuple<std::string, std::string, float, double>> wanted_csv{
      {"u", "i \"1\", x", 1.F, 0.}, {"u,2", "i2", 1.F, 0.}, {"12", "3", 1.F, 0.}};
  EXPECT_EQ(quoted.records, wanted_csv);
  EXPECT_EQ(quoted.tally.bad_lines, 1);
}

TEST(Sha256, KnownVectors) {
  // FIPS 180-2, appendix B.
  EXPECT_EQ(sha256_of_file(TemporaryFile("abc").path()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_file(TemporaryFile("").path()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_file(TemporaryFile(std::string(1'000'000, 'a')).path()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace cohort
