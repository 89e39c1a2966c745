// Input files of all layouts, damaged in ways that files get damaged: reading one ends in a result or in an InputError
// with one printable message, and both are the same on every rank and at any number of ranks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/attribute_file.hpp"
#include "ingest/records/id_list.hpp"
#include "ingest/records/label_file.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

constexpr unsigned seconds_for_one_input = 60;

enum class Reader { interactions, social, attributes, labels, ids };

struct Seed {
  Reader reader;
  std::string name;
  std::string text;
};

const std::vector<Seed>& corpus() {
  static const std::vector<Seed> seeds{
      {Reader::interactions, "a.tsv", "u1\ti1\t5\t100\nu2\ti2\t3.5\t200\nu1\ti2\t1\t300\nu3\ti1\t2\t50\n"},
      {Reader::interactions, "a.csv", "userId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n2,10,4,835355493\r\n"},
      {Reader::interactions, "a.csv",
       "user,item,rating\n\"u,1\",\"a \"\"b\"\"\",5\nu2,\"two\nlines\",4\nu3,a \"x\",3\n"},
      {Reader::interactions, "a.inter",
       "user_id:token\titem_id:token\trating:float\nu1\ti1\t5\nu2\ti2\t4\nu1\ti2\t3\n"},
      {Reader::interactions, "a.dat", "1::122::5::838985046\n1::185::5::838983525\n2::231::5::838983392\n"},
      {Reader::interactions, "a.txt", "0 1 2 3 4\n1 2 3\n2 4\n3\n4 1 2 5 6 7\n"},
      {Reader::interactions, "a.txt", "user item count\nu1 i1 3\nu2  i2\t4\nu3 i1 1\n"},
      {Reader::interactions, "a.csv", "\xEF\xBB\xBFuser,item,event,time\nu1,i1,view,1\nu1, i2 ,buy, 2\nu2,i2,view,3\n"},
      {Reader::interactions, "a.csv", "u1,caf\xC3\xA9\ru2,\xE6\x97\xA5\xE6\x9C\xAC\ru1,\"x\"\r"},
      {Reader::social, "a.net", "source_id:token\ttarget_id:token\n1\t2\n2\t3\n3\t1\n"},
      {Reader::social, "a.csv", "1,2,0.5\n2,3,1\n4,1,2\n"},
      {Reader::attributes, "a.item",
       "item_id:token\tname:token_seq\tyear:float\nu1\tOne two\t1999\nu2\tTwo\t2001\nu3\t\t\n"},
      {Reader::attributes, "a.csv", "id,title,tags\nu1,\"One, \"\"two\"\"\",a|b\nu2,\"line\nbreak\",b\n"},
      {Reader::labels, "a.tsv", "user\tsegment\nu1\t0\nu2\t1\nu3\t0\n"},
      {Reader::labels, "a.csv", "u1,\"a, b\"\nu2,c\n"},
      {Reader::ids, "a.txt", "u1\n u2 \n\nu3\r\nu9\n"},
  };
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::string mutated(std::string text) {
    for (auto more = below(6); more > 0; --more) mutate(text);
    return text;
  }

 private:
  std::pair<std::size_t, std::size_t> line_of(const std::string& text) {
    const auto at = below(text.size());
    const auto begin = text.rfind('\n', at == 0 ? 0 : at - 1);
    const auto end = text.find('\n', at);
    const auto from = begin == std::string::npos || begin >= at ? 0 : begin + 1;
    return {from, (end == std::string::npos ? text.size() : end + 1) - from};
  }

  void mutate(std::string& text) {
    static const std::vector<std::string> bits{"\"",
                                               "\"\"",
                                               ",",
                                               "\t",
                                               "\n",
                                               "\r",
                                               "\r\n",
                                               "::",
                                               " ",
                                               "|",
                                               ":",
                                               "-",
                                               "+",
                                               "nan",
                                               "1e999",
                                               "0x1",
                                               ",\"",
                                               "\",",
                                               "\n\"",
                                               "\"\n",
                                               "\xE9",
                                               "\xFF",
                                               "\xC3",
                                               "\xEF\xBB\xBF",
                                               "\x1b[2J",
                                               "user_id",
                                               "item",
                                               ":token",
                                               "{\"",
                                               "PK\x03\x04",
                                               "\x1f\x8b",
                                               std::string(1, '\0'),
                                               "99999999999999999999",
                                               "\xE6\x97\xA5"};
    const auto at = below(text.size() + 1);
    switch (below(10)) {
      case 0:
        if (!text.empty()) text[below(text.size())] = static_cast<char>(below(256));
        break;
      case 1:
      case 2:
      case 3:
        text.insert(at, bits[below(bits.size())]);
        break;
      case 4:
        text.erase(at, below(1 + text.size() / 3));
        break;
      case 5: {
        const auto [from, size] = line_of(text);
        const auto line = text.substr(from, size);
        for (auto more = 1 + below(4); more > 0; --more) text.insert(from, line);
        break;
      }
      case 6: {
        const auto [from, size] = line_of(text);
        const auto line = text.substr(from, size);
        text.erase(from, size);
        text.append(line);
        break;
      }
      case 7:
        text.resize(at);
        break;
      case 8:
        text.append(corpus()[below(corpus().size())].text);
        break;
      default:
        // Ids, lines and quoted fields about as long as they may be, or much longer.
        if (below(4) == 0) text.insert(at, below(8) == 0 ? (std::size_t{1} << 20) + below(3) : 1020 + below(8), 'x');
    }
  }

  std::mt19937_64 random_;
};

struct Ending {
  std::string message;               // of the InputError; empty: there is a result
  std::vector<std::int64_t> counts;  // of the result
  bool operator==(const Ending&) const = default;
};

void check_ids(const IdTable& ids) {
  for (std::int64_t i = 0; i < ids.block_size(); ++i) {
    ASSERT_FALSE(ids[i].empty());
    ASSERT_LE(ids[i].size(), 1024U);
    ASSERT_EQ(find_invalid_utf8(ids[i]), std::string::npos);
  }
}

std::vector<std::int64_t> counts_of_pairs(const Communicator& comm, const InputConfig& input,
                                          const CleanConfig& clean) {
  const auto prepared = prepare(comm, input, clean, {}, 1);
  const auto& data = prepared.dataset;
  check_ids(data.users);
  check_ids(data.items);
  for (const auto weight : data.interactions.weight) EXPECT_TRUE(std::isfinite(weight) && weight >= 0);
  for (const auto time : data.interactions.time) EXPECT_TRUE(std::isfinite(time));
  const auto& read = input.social.empty() ? prepared.stats.interactions : prepared.stats.social;
  for (const auto& report : read.bad_line_reports) EXPECT_EQ(report, printable(report));
  return {data.users.total(),
          data.items.total(),
          comm.sum(data.interactions.size()),
          comm.sum(data.social.size()),
          read.lines,
          read.records,
          read.bad_lines};
}

IdTable some_ids(const Communicator& comm) {
  IdTable ids;
  ids.distribution = Distribution::even(9, comm.size());
  for (auto i = ids.distribution.begin(comm.rank()); i < ids.distribution.end(comm.rank()); ++i) {
    ids.push_back(std::string("u").append(std::to_string(i + 1)));
  }
  return ids;
}

Ending read(const Communicator& comm, Reader reader, const std::string& path, double max_bad_lines) {
  Ending ending;
  try {
    InputConfig input;
    const CleanConfig clean{"keep", 1, 1, 0, max_bad_lines};
    switch (reader) {
      case Reader::interactions:
        input.interactions = {path};
        ending.counts = counts_of_pairs(comm, input, clean);
        break;
      case Reader::social:
        input.social = {path};
        ending.counts = counts_of_pairs(comm, input, clean);
        break;
      case Reader::attributes: {
        const auto table = read_attributes(comm, some_ids(comm), path);
        ending.counts = {table.matched, table.unknown, std::ssize(table.numeric), std::ssize(table.category),
                         std::ssize(table.left_out)};
        break;
      }
      case Reader::labels: {
        const auto labels = read_labels(comm, some_ids(comm), path);
        ending.counts = {labels.labelled, labels.unknown_users, std::ssize(labels.names)};
        break;
      }
      case Reader::ids: {
        const auto list = read_id_list(comm, some_ids(comm), path, "items");
        ending.counts = {list.known, list.unknown};
      }
    }
  } catch (const InputError& error) {
    ending.message = error.what();
  }
  return ending;
}

std::int64_t inputs_asked_for() {
  const auto* const asked = std::getenv("COHORT_FUZZ_INPUTS");
  if (asked != nullptr) return std::atoll(asked);
  return world().size() == 1 ? 2000 : 60;
}

TEST(FuzzReader, EndsInAResultOrOneClearMessage) {
  const Scratch scratch;
  const auto self = Communicator::self();
  std::int64_t results = 0;
  std::int64_t refusals = 0;
  const auto count = inputs_asked_for();
  for (std::int64_t i = 0; i < count; ++i) {
    ::alarm(seconds_for_one_input);  // a hang is a failure
    world().barrier();               // nobody reads the file any more that is replaced now
    Mutator mutator(static_cast<std::uint64_t>(i));
    const auto& seed = corpus()[static_cast<std::size_t>(i) % corpus().size()];
    auto content = mutator.mutated(seed.text);
    auto name = seed.name;
    if (mutator.below(5) == 0) {
      content = gzipped(content);
      if (mutator.below(4) == 0) content = mutator.mutated(content);
      if (mutator.below(4) != 0) name += ".gz";
    }
    const double max_bad_lines = mutator.below(2) == 0 ? 0 : 1000;
    const auto path = scratch.write(name, content);
    const auto ending = read(world(), seed.reader, path, max_bad_lines);
    const auto what = "input " + std::to_string(i) + ": " + quoted(content, 4000);
    if (ending.message.empty()) {
      ++results;
    } else {
      ++refusals;
      ASSERT_EQ(ending.message, printable(ending.message)) << what;
      const bool says_where = ending.message.find(path) != std::string::npos;
      ASSERT_TRUE(says_where || ending.message.starts_with("cleaning leaves")) << ending.message << "\n" << what;
      ASSERT_LT(ending.message.size(), 8000U) << what;
    }
    if (world().size() > 1) {
      ASSERT_EQ(ending.message, world().broadcast(ending.message)) << what;
      const auto alone = read(self, seed.reader, path, max_bad_lines);
      ASSERT_EQ(ending.message, alone.message) << what;
      ASSERT_EQ(ending.counts, alone.counts) << what;
    }
  }
  ::alarm(0);
  // Mutations that spoil everything, or nothing, would test little.
  EXPECT_GT(results, count / 10);
  EXPECT_GT(refusals, count / 10);
}

}  // namespace
}  // namespace cohort
