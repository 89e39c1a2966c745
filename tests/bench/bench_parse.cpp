// Reading interactions: ids and all, against a loop that only finds the lines and reads the first two numbers of each;
// with a peer also Parquet and what is compressed, beside pyarrow, pandas and polars.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench_areas.hpp"
#include "bench_peer.hpp"
#include "comm/communicator.hpp"
#include "core/random.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort::bench {

namespace {

/// A temporary file of lines "user<tab>item<tab>rating<tab>time", numbers; what is made beside it goes with it.
class LinesOnDisk {
 public:
  explicit LinesOnDisk(std::int64_t lines) {
    std::string directory = (std::filesystem::temp_directory_path() / "cohort_bench_XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) throw RunError("no temporary directory");
    directory_ = directory;
    const CounterRandom random(1, Purpose::generate_interactions);
    std::string text;
    for (std::int64_t i = 0; i < lines; ++i) {
      const auto words = random.words(static_cast<std::uint64_t>(i));
      text += std::to_string(words[0] % 1'000'000) + '\t' + std::to_string(words[1] % 200'000) + '\t' +
              std::to_string(1 + words[2] % 5) + '\t' + std::to_string(1'400'000'000 + words[3] % 100'000'000) + '\n';
    }
    std::ofstream(path(), std::ios::binary) << text;
    bytes_ = std::ssize(text);
  }
  ~LinesOnDisk() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  LinesOnDisk(const LinesOnDisk&) = delete;
  LinesOnDisk& operator=(const LinesOnDisk&) = delete;
  std::string path() const { return directory_ + "/lines.tsv"; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::string directory_;
  std::int64_t bytes_ = 0;
};

// Ids interned, ratings and times beside them where all columns are asked for.
double seconds_of_reading(const Communicator& comm, const std::string& path, bool all_columns) {
  return seconds_of([&] {
    IdInterner users;
    IdInterner items;
    PairFiles files;
    files.paths = {path};
    const bool named = path.ends_with(".parquet");
    files.layout.columns = {{"user", named ? "user" : "0"}, {"item", named ? "item" : "1"}};
    if (all_columns) {
      files.layout.columns.emplace_back("weight", named ? "rating" : "2");
      files.layout.columns.emplace_back("time", named ? "time" : "3");
    }
    const auto read = read_pairs(comm, files, users, items);
    COHORT_CHECK(read.stats.bad_lines == 0 && read.stats.records > 0);
  });
}

double seconds_of_number_loop(const std::string& path) {
  return seconds_of([&] {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    std::string block(std::size_t{4} << 20, '\0');
    std::size_t kept = 0;
    std::int64_t sum = 0;
    for (std::size_t got = 0; (got = std::fread(block.data() + kept, 1, block.size() - kept, file)) > 0;) {
      const char* at = block.data();
      const char* const end = at + kept + got;
      while (const auto* const stop =
                 static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) {
        std::int64_t user = 0;
        std::int64_t item = 0;
        const auto tab = std::from_chars(at, stop, user).ptr;
        std::from_chars(tab + 1, stop, item);
        sum += user ^ item;
        at = stop + 1;
      }
      kept = static_cast<std::size_t>(end - at);
      std::memmove(block.data(), at, kept);
    }
    std::fclose(file);
    COHORT_CHECK(sum != 0);
  });
}

}  // namespace

void bench_parse(Bench& bench) {
  const LinesOnDisk lines(bench.options().small ? 20'000 : 4'000'000);
  const auto comm = Communicator::self();
  const double bytes = 1e-9 * static_cast<double>(lines.bytes());
  const auto& python = bench.options().peer;
  if (!python.empty()) PeerProcess{{python, COHORT_BENCH_READING_PEER_SCRIPT, "make", lines.path()}};
  const std::string limit = "memchr and from_chars alone";
  for (const std::string ending : {"", ".numbers.parquet", ".words.parquet", ".gz", ".zst", ".bz2", ".xz"}) {
    const auto path = lines.path() + ending;
    if (!ending.empty() && python.empty()) continue;
    const bool packed = !ending.empty() && !ending.ends_with(".parquet");
    for (const bool all_columns : {false, true}) {
      if (packed && !all_columns) continue;
      std::vector<std::string> columns{"user", "item"};
      if (all_columns) columns.insert(columns.end(), {"rating", "time"});
      std::vector<Case> cases{
          {"read_pairs, ids interned", bytes, "B", [&] { return seconds_of_reading(comm, path, all_columns); }, {}}};
      if (ending.empty()) {
        cases.push_back({limit, bytes, "B", [&] { return seconds_of_number_loop(path); }, {}});
        cases[0].against.push_back(limit);
      }
      std::vector<std::unique_ptr<PeerProcess>> peers;
      for (const std::string library : {"pyarrow", "pandas", "polars", "unpack"}) {
        if (python.empty() || packed != (library == "unpack")) continue;
        std::vector<std::string> command{python, COHORT_BENCH_READING_PEER_SCRIPT, library, path};
        if (!packed) command.insert(command.end(), columns.begin(), columns.end());
        auto& peer = *peers.emplace_back(std::make_unique<PeerProcess>(command));
        const auto name = packed ? "unpacking alone, by the format's own library" : library;
        cases.push_back({name, bytes, "B", [&peer] { return peer.run(); }, {}});
        cases[0].against.push_back(name);
      }
      bench.measure("reading " + std::to_string(columns.size()) + " columns of what is " +
                        std::to_string(lines.bytes() / 1'000'000) + " MB of lines, as lines.tsv" + ending,
                    1, cases);
    }
  }
}

}  // namespace cohort::bench
