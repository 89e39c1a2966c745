// Reading interactions: ids and all, against a loop that only finds the lines and reads the two numbers of each.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench_areas.hpp"
#include "comm/communicator.hpp"
#include "core/random.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort::bench {

namespace {

/// A temporary file of lines "user<tab>item", numbers.
class LinesOnDisk {
 public:
  explicit LinesOnDisk(std::int64_t lines)
      : path_(std::filesystem::temp_directory_path() / ("cohort_bench_" + std::to_string(getpid()) + ".tsv")) {
    const CounterRandom random(1, Purpose::generate_interactions);
    std::string text;
    for (std::int64_t i = 0; i < lines; ++i) {
      const auto words = random.words(static_cast<std::uint64_t>(i));
      text += std::to_string(words[0] % 1'000'000) + '\t' + std::to_string(words[1] % 200'000) + '\n';
    }
    std::ofstream(path_, std::ios::binary) << text;
    bytes_ = std::ssize(text);
  }
  ~LinesOnDisk() { std::filesystem::remove(path_); }
  LinesOnDisk(const LinesOnDisk&) = delete;
  LinesOnDisk& operator=(const LinesOnDisk&) = delete;
  const std::string& path() const { return path_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::string path_;
  std::int64_t bytes_ = 0;
};

double seconds_of_reading(const Communicator& comm, const std::string& path) {
  return seconds_of([&] {
    IdInterner users;
    IdInterner items;
    PairFiles files;
    files.paths = {path};
    files.layout.format = InputFormat::tsv;
    const auto read = read_pairs(comm, files, users, items);
    COHORT_CHECK(read.stats.bad_lines == 0);
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
  const double work = 1e-9 * static_cast<double>(lines.bytes());
  const std::string limit = "memchr and from_chars alone";
  bench.measure(
      "reading " + std::to_string(lines.bytes() / 1'000'000) + " MB of (user, item) lines", 1,
      {{"read_pairs, ids interned", work, "B", [&] { return seconds_of_reading(comm, lines.path()); }, {limit}},
       {limit, work, "B", [&] { return seconds_of_number_loop(lines.path()); }, {}}});
}

}  // namespace cohort::bench
