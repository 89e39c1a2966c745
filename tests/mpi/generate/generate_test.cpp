// Made-up populations: the bytes that one process alone writes, and what was asked for, counted from the files.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/config.hpp"
#include "core/error.hpp"
#include "generate/population.hpp"
#include "ingest/prepare.hpp"

namespace cohort {
namespace {

namespace fs = std::filesystem;

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The numbers of lines "u12<tab>i34" under a header.
Pairs pairs_of(const fs::path& path) {
  std::istringstream lines(content(path));
  Pairs pairs;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const auto tab = line.find('\t');
    const auto second = line.substr(tab + 1);
    pairs.emplace_back(std::stoll(line.substr(1, tab - 1)),
                       std::stoll(std::isdigit(second[0]) ? second : second.substr(1)));
  }
  return pairs;
}

class Generate : public testing::Test {
 protected:
  void SetUp() override {
    const auto name = "cohort-generate-" + std::to_string(::getpid());
    directory_ = comm_.broadcast((fs::temp_directory_path() / name).string());
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) fs::remove_all(directory_);
    comm_.barrier();
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void make(const PopulationOptions& options, const std::string& name = "all") const {
    generate_population(comm_, options, path(name));
  }
  template <class Error>
  std::string message(const PopulationOptions& options, const std::string& name) const {
    std::string text = "no error";
    try {
      generate_population(comm_, options, name);
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_EQ(comm_.broadcast(text), text) << "the same error on all ranks";
    return text;
  }

  Communicator comm_ = Communicator::world();
  std::string directory_;
};

std::vector<PopulationOptions> populations() {
  return {
      {500, 300, 9000, 4, 0.1, 800, 1}, {500, 300, 9000, 4, 0.1, 800, 2},
      {3000, 200, 30000, 7, 1.0, 0, 3}, {40, 30, 1200, 3, 0.2, 0, 4},   // every pair
      {40, 30, 1190, 30, 0.0, 0, 5},                                    // nearly every pair; segments of one item
      {200, 50, 200, 1, 0.5, 0, 6},                                     // one each
      {2, 2, 3, 2, 0.0, 0, 7},                                          // ranks without users
      {1, 5, 2, 1, 0.0, 0, 8},          {60, 20, 300, 2, 1.0, 800, 9},  // nearly half of all friendships
  };
}

TEST_F(Generate, TheBytesThatOneRankWrites) {
  std::set<std::string> different;
  for (const auto& options : populations()) {
    SCOPED_TRACE(testing::Message() << options.users << " users, seed " << options.seed);
    make(options);
    if (comm_.is_root()) {
      generate_population(Communicator::self(), options, path("one"));
      for (const char* name : {"interactions.tsv", "truth.tsv", "item_truth.tsv"}) {
        const auto bytes = content(path("all/") + name);
        EXPECT_EQ(bytes, content(path("one/") + name)) << name;
        EXPECT_TRUE(different.insert(name + bytes).second) << name;
      }
      EXPECT_EQ(fs::exists(path("all/social.tsv")), options.social > 0);
      EXPECT_EQ(content(path("all/social.tsv")), content(path("one/social.tsv"))) << "both empty where there is none";
      EXPECT_EQ(std::distance(fs::directory_iterator(path("all")), {}), options.social > 0 ? 5 : 4)
          << "nothing temporary is left";
      fs::remove_all(path("all"));
      fs::remove_all(path("one"));
    }
    comm_.barrier();
  }
}

TEST_F(Generate, CountsAreExact) {
  for (const auto& options : populations()) {
    SCOPED_TRACE(testing::Message() << options.users << " users, seed " << options.seed);
    make(options);
    if (comm_.is_root()) {
      const auto interactions = pairs_of(path("all/interactions.tsv"));
      EXPECT_EQ(std::ssize(interactions), options.interactions);
      EXPECT_EQ(std::set(interactions.begin(), interactions.end()).size(), interactions.size()) << "no repeats";
      EXPECT_TRUE(std::ranges::is_sorted(interactions));
      std::set<std::int64_t> users;
      for (const auto& [user, item] : interactions) {
        users.insert(user);
        ASSERT_TRUE(item >= 0 && item < options.items);
      }
      EXPECT_EQ(std::ssize(users), options.users);
      EXPECT_EQ(*users.rbegin(), options.users - 1);

      std::map<std::int64_t, std::int64_t> size;
      std::int64_t expected_user = 0;
      for (const auto& [user, segment] : pairs_of(path("all/truth.tsv"))) {
        ASSERT_EQ(user, expected_user++);
        ++size[segment];
      }
      EXPECT_EQ(expected_user, options.users);
      EXPECT_EQ(std::ssize(size), options.segments);
      EXPECT_EQ(size.rbegin()->first, options.segments - 1);

      if (options.social > 0) {
        const auto friends = pairs_of(path("all/social.tsv"));
        EXPECT_EQ(std::ssize(friends), options.social);
        EXPECT_EQ(std::set(friends.begin(), friends.end()).size(), friends.size());
        for (const auto& [a, b] : friends) ASSERT_TRUE(0 <= a && a < b && b < options.users);
      }
      fs::remove_all(path("all"));
    }
    comm_.barrier();
  }
}

// Slope of log(count) over log(rank) by least squares, ranks [first, last) of the counts in descending order.
double zipf_slope(const std::map<std::int64_t, std::int64_t>& counts, std::int64_t first, std::int64_t last) {
  std::vector<double> count;
  for (const auto& [id, number] : counts) count.push_back(static_cast<double>(number));
  std::ranges::sort(count, std::ranges::greater());
  double x = 0, y = 0, xx = 0, xy = 0;
  for (auto rank = first; rank < last; ++rank) {
    const double a = std::log(static_cast<double>(rank) + 1);
    const double b = std::log(count.at(static_cast<std::size_t>(rank)));
    x += a, y += b, xx += a * a, xy += a * b;
  }
  const auto n = static_cast<double>(last - first);
  return (n * xy - x * y) / (n * xx - x * x);
}

TEST_F(Generate, FollowsItsLaws) {
  const PopulationOptions options{6000, 3000, 120'000, 6, 0.3, 12'000, 11};
  make(options);
  if (!comm_.is_root()) return;
  std::map<std::int64_t, std::int64_t> segment_of;
  std::vector<double> size(6, 0.0);
  for (const auto& [user, segment] : pairs_of(path("all/truth.tsv"))) {
    segment_of[user] = segment;
    ++size[segment];
  }
  EXPECT_TRUE(std::ranges::is_sorted(size, std::ranges::greater()));
  EXPECT_NEAR(size.front() / size.back(), 5, 0.02);
  for (std::size_t s = 1; s < 6; ++s) EXPECT_NEAR(size[s - 1] / size[s], std::pow(5, 0.2), 0.01);

  const auto interactions = pairs_of(path("all/interactions.tsv"));
  std::map<std::int64_t, std::int64_t> of_user, of_item;
  for (const auto& [user, item] : interactions) {
    ++of_user[user];
    ++of_item[item];
  }
  EXPECT_NEAR(zipf_slope(of_user, 0, 1000), -0.5, 0.02);
  EXPECT_NEAR(zipf_slope(of_item, 20, 1000), -0.7, 0.1);
  // Half of the mean for the least active.
  const auto least = std::ranges::min_element(of_user, {}, [](const auto& user) { return user.second; })->second;
  EXPECT_NEAR(static_cast<double>(least), 10, 1);

  // Noise hits the own segment's items too, in proportion to their share of popularity, which is about their share of
  // all items.
  std::map<std::int64_t, std::int64_t> preferring;
  for (const auto& [item, segment] : pairs_of(path("all/item_truth.tsv"))) preferring[item] = segment;
  EXPECT_EQ(std::ssize(preferring), options.items);
  double outside = 0, own_by_chance = 0;
  for (const auto& [user, item] : interactions) {
    outside += preferring.at(item) == segment_of[user] ? 0 : 1;
    own_by_chance += size[segment_of[user]] / 6000;
  }
  const auto total = static_cast<double>(options.interactions);
  EXPECT_NEAR(outside / total, options.noise * (1 - own_by_chance / total), 0.02);

  double between = 0, together = 0;
  for (const auto& [a, b] : pairs_of(path("all/social.tsv"))) between += segment_of[a] == segment_of[b] ? 0 : 1;
  for (const double users : size) together += users * users / 36e6;
  EXPECT_NEAR(between / 12'000, options.noise * (1 - together), 0.02);
  // Ids say nothing: neighbours by number share a segment no more often than others.
  double same = 0;
  for (std::int64_t user = 1; user < options.users; ++user) same += segment_of[user] == segment_of[user - 1] ? 1 : 0;
  EXPECT_NEAR(same / 6000, together, 0.03);
}

// Probability that each of `weights` is among `draws` drawn one after the other without replacement.
void add_inclusion(const std::vector<double>& weights, std::set<std::size_t>& taken, double probability, int draws,
                   std::vector<double>& inclusion) {
  if (draws == 0) return;
  double left = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) left += taken.contains(i) ? 0 : weights[i];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (taken.contains(i)) continue;
    const double next = probability * weights[i] / left;
    inclusion[i] += next;
    taken.insert(i);
    add_inclusion(weights, taken, next, draws - 1, inclusion);
    taken.erase(i);
  }
}

TEST_F(Generate, DrawsWithoutReplacementByPopularity) {
  // Of 8 items, users with 1 or 2 draw until they have them, users with 3 and more let the items race.
  make({20'000, 8, 50'000, 1, 0.0, 0, 12});
  if (!comm_.is_root()) return;
  std::map<std::int64_t, std::vector<std::int64_t>> items_of;
  for (const auto& [user, item] : pairs_of(path("all/interactions.tsv"))) items_of[user].push_back(item);
  std::vector<double> weights;
  for (int rank = 1; rank <= 8; ++rank) weights.push_back(std::pow(rank, -0.7));
  for (const int degree : {1, 2, 3, 4}) {
    SCOPED_TRACE(degree);
    double users = 0;
    std::vector<double> found(8, 0.0), expected(8, 0.0);
    for (const auto& [user, items] : items_of) {
      if (std::ssize(items) != degree) continue;
      ++users;
      for (const auto item : items) ++found[item];
    }
    ASSERT_GT(users, 500);
    std::set<std::size_t> taken;
    add_inclusion(weights, taken, 1, degree, expected);
    std::ranges::sort(found, std::ranges::greater());
    for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(found[i] / users, expected[i], 2 / std::sqrt(users));
  }
}

TEST_F(Generate, TheConfigurationRuns) {
  const PopulationOptions options{300, 100, 3000, 4, 0.2, 200, 13};
  make(options, "a \"quoted\" name");
  const auto directory = path("a \"quoted\" name");
  const auto config = parse_config(content(directory + "/config.toml"), "config.toml", directory, {});
  EXPECT_EQ(config.segment.count, 4);
  EXPECT_EQ(config.output.directory, directory + "/run");
  EXPECT_EQ(config.input.interactions.at(0), directory + "/interactions.tsv");
  const auto dataset = prepare(comm_, config.input, config.clean, config.graph, 1).dataset;
  EXPECT_EQ(dataset.users.total(), 300);
  EXPECT_EQ(comm_.sum(dataset.interactions.size()), 3000);
  EXPECT_EQ(comm_.sum(dataset.social.size()), 400);
}

TEST_F(Generate, WrongOptionsSayWhichAndWhatToDo) {
  const PopulationOptions good{10, 5, 20, 2, 0.1, 0, 1};
  const auto refused = [&](auto change) {
    auto options = good;
    change(options);
    return message<InputError>(options, path("none"));
  };
  EXPECT_NE(refused([](auto& o) { o.interactions = 51; }).find("51 is more than the different pairs"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.interactions = 9; }).find("number of users (10)"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.segments = 6; }).find("--segments 6"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.segments = 0; }).find("--segments 0"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.noise = 1.5; }).find("--noise 1.5"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.noise = std::nan(""); }).find("--noise nan"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.users = 0; }).find("--users 0"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.items = 0; }).find("--items 0"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.social = -1; }).find("--social -1"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.social = 40; }).find("--social 40 is more than half"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("none")));
}

TEST_F(Generate, PlacesThatCannotBeWritten) {
  const PopulationOptions options{300, 100, 3000, 4, 0.2, 0, 1};
  if (comm_.is_root()) {
    fs::create_directories(directory_);
    std::ofstream(path("file")) << "no directory";
  }
  comm_.barrier();
  EXPECT_NE(message<InputError>(options, path("file")).find(path("file")), std::string::npos);
  EXPECT_NE(message<InputError>(options, path("file/below")).find("cannot make"), std::string::npos);
  EXPECT_NE(message<InputError>(options, "/proc").find("cannot write /proc/interactions.tsv"), std::string::npos);

  // A file system without room for the whole file: a limit on the size of files fails the same way.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit little = before;
  little.rlim_cur = 1000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &little);
  const auto text = message<RunError>(options, path("full"));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(text.find("cannot write " + path("full/interactions.tsv")), std::string::npos) << text;
  comm_.barrier();
  EXPECT_TRUE(fs::is_empty(path("full")));
}

}  // namespace
}  // namespace cohort
