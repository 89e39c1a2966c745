// New users read, weighed, placed and served, from files and one by one, against plain maps and sorts. Every rank knows
// all of it and hands over its block only; what one rank alone computes must be had to the bit by any number.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "assign/assignment.hpp"
#include "assign/live_assigner.hpp"
#include "assign/newcomers.hpp"
#include "core/error.hpp"
#include "graph/edge_weights.hpp"
#include "support/fold_in_reference.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

// A result of random embeddings over the items "i0", "i1", ...; item 6 has no training users.
SegmentsFile some_result(const Communicator& comm, std::int64_t columns) {
  const Reference reference(2, columns);
  SegmentsFile result;
  const auto item_blocks = Distribution::even(items, comm.size());
  result.items.distribution = item_blocks;
  for (auto i = item_blocks.begin(comm.rank()); i < item_blocks.end(comm.rank()); ++i) {
    result.items.push_back("i" + std::to_string(i));
  }
  result.segments.items =
      block_of_rows(reference.trained, users + item_blocks.begin(comm.rank()), item_blocks.count(comm.rank()), columns);
  result.segments.centroid = block_of_rows(reference.trained, 0, 3, columns);
  result.fold_in = fold(comm, reference, Distribution::even(users, comm.size()), item_blocks).table;
  return result;
}

using Records = std::map<std::string, std::vector<std::pair<std::string, float>>>;

// "new1" knows nothing, "new2" has an item without training users, one that is unknown twice, and repeats.
const Records& some_records() {
  static const Records records{
      {"new0", {{"i1", 1}, {"i3", 2}, {"i9", 0.5F}, {"i10", 4}}},
      {"new1", {{"z", 1}, {"y", 2}, {"i6", 1}}},
      {"new2", {{"i2", 3}, {"z", 1}, {"i6", 1}, {"z", 1}, {"i2", 0.125F}, {"i2", 7}}},
      {"u3",
       {{"i0", 1}, {"i1", 1}, {"i2", 1}, {"i3", 1}, {"i4", 1}, {"i5", 1}, {"i7", 1}, {"i8", 1}, {"i9", 1}, {"i10", 1}}},
      {"weak", {{"i4", 0}, {"i5", 1}}}};
  return records;
}

Newcomers read_records(const testing_support::Scratch& scratch, const SegmentsFile& result, const GraphConfig& graph) {
  std::string text = "user\titem\tweight\n";
  for (const auto& [user, list] : some_records()) {
    for (const auto& [item, weight] : list) text += user + "\t" + item + "\t" + std::to_string(weight) + "\n";
  }
  NewcomerFiles files;
  files.input.interactions = {scratch.write("new.tsv", text)};
  files.graph = graph;
  return read_newcomers(testing_support::world(), files, {&result.users, &result.items, &result.fold_in->users});
}

TEST(Assign, FilesAndOneByOneAgreeToTheBit) {
  const auto comm = Communicator::world();
  const testing_support::Scratch scratch;
  struct Case {
    EdgeWeighting scheme;
    std::int64_t columns, count;
  };
  for (const auto& [scheme, columns, count] :
       {Case{EdgeWeighting::binary, 10, 3}, {EdgeWeighting::log, 33, 50}, {EdgeWeighting::raw, 10, 50}}) {
    GraphConfig graph;
    graph.weight = scheme;
    const AssignOptions options{columns == 33, count};
    const auto result = some_result(comm, columns);
    const auto whole = some_result(Communicator::self(), columns);
    const auto newcomers = read_records(scratch, result, graph);
    const auto found = assign(comm, result, newcomers, options);
    LiveAssigner live(Communicator::self(), whole, whole.fold_in->users, embed_by_fold_in(whole), graph, options);
    const auto first = newcomers.users.distribution.begin(comm.rank());
    EXPECT_EQ(newcomers.users.total(), 5);
    for (std::int64_t u = 0; u < newcomers.users.block_size(); ++u) {
      SCOPED_TRACE("user " + std::to_string(first + u) + " " + std::string(word_of(scheme)));
      const auto at = static_cast<std::size_t>(u);
      std::vector<NamedInteraction> interactions;
      for (const auto& [item, weight] : some_records().at(std::string(newcomers.users[u]))) {
        interactions.push_back({item, weight});
      }
      const auto expected = live.answer("", interactions);
      EXPECT_EQ(newcomers.edges.row_begin[at + 1] - newcomers.edges.row_begin[at], expected.known);
      EXPECT_EQ(newcomers.unknown[at], expected.unknown);
      EXPECT_EQ(found.placement[at].segment, expected.placement.segment);
      EXPECT_EQ(found.placement[at].distance, expected.placement.distance);
      EXPECT_EQ(found.placement[at].margin, expected.placement.margin);
      const auto best = std::span<const ScoredItem>(found.best)
                            .subspan(found.best_begin[at], found.best_begin[at + 1] - found.best_begin[at]);
      ASSERT_EQ(best.size(), expected.best.size());
      for (std::size_t i = 0; i < best.size(); ++i) {
        EXPECT_EQ(best[i].item, expected.best[i].item);
        EXPECT_EQ(best[i].score, expected.best[i].score);
      }
    }
  }
}

TEST(Assign, MatchesPlainArithmetic) {
  const auto comm = Communicator::self();
  constexpr std::int64_t columns = 10;
  const auto result = some_result(comm, columns);
  GraphConfig graph;
  graph.weight = EdgeWeighting::log;
  LiveAssigner live(comm, result, result.fold_in->users, embed_by_fold_in(result), graph, {false, 4});
  for (const auto& [user, list] : some_records()) {
    SCOPED_TRACE(user);
    std::vector<NamedInteraction> interactions;
    std::map<std::string, double> merged;
    for (const auto& [item, weight] : list) {
      interactions.push_back({item, weight});
      if (weight > 0) merged[item] += weight;
    }
    double degree = 0;
    std::vector<double> sum(columns, 0.0);
    std::map<std::int64_t, double> known;
    for (const auto& [item, weight] : merged) {
      const auto number = item[0] == 'i' ? std::stoll(item.substr(1)) : -1;
      if (number < 0 || number == 6) continue;
      known[number] = std::log(1 + weight);
      degree += known[number];
      for (std::size_t j = 0; j < columns; ++j) sum[j] += known[number] * result.fold_in->rows.row(number)[j];
    }
    const auto answer = live.answer("", interactions);
    EXPECT_EQ(answer.known, std::ssize(known));
    EXPECT_EQ(answer.unknown, std::ssize(merged) - std::ssize(known));
    std::vector<std::pair<double, std::int64_t>> scores;
    if (known.empty()) {
      EXPECT_EQ(answer.placement.segment, -1);
      for (std::size_t i = 0; i < items; ++i) {
        scores.emplace_back(-static_cast<double>(result.fold_in->users[i]), static_cast<std::int64_t>(i));
      }
    } else {
      std::vector<double> distance(3, 0.0);
      for (std::size_t j = 0; j < columns; ++j) {
        sum[j] /= std::sqrt(degree);
        for (std::size_t s = 0; s < 3; ++s) {
          distance[s] += std::pow(sum[j] - result.segments.centroid.row(static_cast<std::int64_t>(s))[j], 2);
        }
      }
      const auto nearest = std::ranges::min_element(distance) - distance.begin();
      std::ranges::sort(distance);
      EXPECT_EQ(answer.placement.segment, nearest);
      EXPECT_NEAR(answer.placement.distance, std::sqrt(distance[0]), 1e-5);
      EXPECT_NEAR(answer.placement.margin, std::sqrt(distance[1]) - std::sqrt(distance[0]), 1e-5);
      for (std::int64_t i = 0; i < items; ++i) {
        if (known.contains(i)) continue;
        double score = 0;
        for (std::size_t j = 0; j < columns; ++j) score += sum[j] * result.segments.items.row(i)[j];
        scores.emplace_back(-score, i);
      }
    }
    std::ranges::sort(scores);
    ASSERT_EQ(std::ssize(answer.best), std::min<std::int64_t>(4, std::ssize(scores)));
    for (std::size_t i = 0; i < answer.best.size(); ++i) {
      EXPECT_EQ(answer.best[i].item, scores[i].second);
      EXPECT_NEAR(answer.best[i].score, -scores[i].first, 1e-5);
    }
  }
}

// Many items of very different lengths, so that the search stops early: the same best as a sort of all scores.
TEST(LiveAssigner, StopsEarlyOnlyWhereNothingIsLost) {
  const auto comm = Communicator::self();
  constexpr std::int64_t many = 3000;
  constexpr std::int64_t columns = 10;
  auto dense = random_dense(many, columns, 21);
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const double factor = i % 50 == 0 ? 1.0 : 0.05;
    for (auto& value : dense[i]) value = (value - 0.2) * factor;
  }
  dense[77] = dense[1050];  // a tie
  SegmentsFile result;
  result.items.distribution = Distribution::even(many, 1);
  for (std::int64_t i = 0; i < many; ++i) result.items.push_back(std::to_string(i));
  result.segments.items = block_of_rows(dense, 0, many, columns);
  result.segments.centroid = block_of_rows(dense, 0, 2, columns);
  result.fold_in = FoldInTable{block_of_rows(random_dense(many, columns, 4), 0, many, columns), {}};
  result.fold_in->users.assign(many, 1);
  LiveAssigner live(comm, result, result.fold_in->users, embed_by_fold_in(result), GraphConfig(), {false, 40});
  for (std::int64_t user = 0; user < 20; ++user) {
    const std::vector<NamedInteraction> interactions{{std::to_string(user * 50), 1}, {std::to_string(user), 1}};
    const auto best = live.answer("", interactions).best;
    Matrix embedding(1, columns);
    std::vector<LocalRow> item{LocalRow(static_cast<std::int32_t>(user)),
                               LocalRow(static_cast<std::int32_t>(user * 50))};
    std::vector<float> weight{1, 1};
    if (user == 0) {
      item.pop_back();
      weight.pop_back();
    }
    fold_in_row(result.fold_in->rows.view(), item, weight, embedding.row(0));
    std::vector<ScoredItem> expected;
    for (std::int64_t i = 0; i < many; ++i) {
      if (i == user || i == user * 50) continue;
      float score = 0;
      for (std::int64_t j = 0; j < columns; ++j)
        score = std::fma(embedding.row(0)[j], result.segments.items.row(i)[j], score);
      expected.push_back({score, i});
    }
    std::ranges::sort(expected, [](const ScoredItem& a, const ScoredItem& b) { return a < b; });
    ASSERT_EQ(best.size(), 40U);
    for (std::size_t i = 0; i < best.size(); ++i) {
      EXPECT_EQ(best[i].item, expected[i].item);
      EXPECT_EQ(best[i].score, expected[i].score);
    }
  }
}

TEST(Newcomers, WithoutAnItemInCommonAreRefused) {
  const auto& comm = testing_support::world();
  const testing_support::Scratch scratch;
  const auto result = some_result(comm, 10);
  for (const std::string text : {"a\tb\nc\td\n", "a\ti6\n"}) {
    NewcomerFiles files;
    files.input.interactions = {scratch.write("none.tsv", text)};
    try {
      read_newcomers(comm, files, {&result.users, &result.items, &result.fold_in->users});
      ADD_FAILURE() << "no error";
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("none.tsv"), std::string::npos) << message;
      EXPECT_NE(message.find("\"i0\""), std::string::npos) << message;
      EXPECT_EQ(comm.broadcast(message), message);
    }
  }
}

TEST(Newcomers, CountsWhatIsNotKnown) {
  const testing_support::Scratch scratch;
  const auto result = some_result(testing_support::world(), 10);
  const auto binary = read_records(scratch, result, GraphConfig());
  EXPECT_EQ(binary.known_pairs, 4 + 0 + 1 + 10 + 2);
  EXPECT_EQ(binary.unknown_pairs, 3 + 2);
  EXPECT_EQ(binary.unknown_items, 3);
  GraphConfig raw;
  raw.weight = EdgeWeighting::raw;
  raw.min_weight = 1;
  const auto weighted = read_records(scratch, result, raw);
  EXPECT_EQ(weighted.known_pairs, 3 + 0 + 1 + 10 + 1);
  EXPECT_EQ(weighted.read.below_min_weight, 3);
}

TEST(Newcomers, WeighAsEventsAndAgesSay) {
  const testing_support::Scratch scratch;
  const auto& comm = testing_support::world();
  const auto result = some_result(comm, 10);
  NewcomerFiles files;
  files.graph.weight = EdgeWeighting::raw;
  files.graph.half_life = 2;
  files.graph.event_weights = {{"buy", 4}, {"view", 1}, {"hover", 0}};
  files.input.interactions = {scratch.write("aged.tsv",
                                            "user\titem\tevent\ttime\n"
                                            "a\ti1\tbuy\t1000000\n"
                                            "a\ti2\tview\t1172800\n"
                                            "a\ti3\thover\t1172800\n"
                                            "a\ti1\tview\t1172800\n")};
  const auto newcomers = read_newcomers(comm, files, {&result.users, &result.items, &result.fold_in->users});
  const auto weight = comm.all_gather(std::span<const float>(newcomers.edges.weight)).data;
  EXPECT_EQ(weight, (std::vector<float>{3, 1}));  // 4 halved in two days, and 1
  files.input.interactions = {scratch.write("timeless.tsv", "user\titem\tevent\na\ti1\tbuy\n")};
  const auto timeless = read_newcomers(comm, files, {&result.users, &result.items, &result.fold_in->users});
  EXPECT_EQ(comm.all_gather(std::span<const float>(timeless.edges.weight)).data, (std::vector<float>{4}));
}

TEST(Assign, ResultsThatCannotServeAreRefused) {
  const auto comm = Communicator::world();
  auto result = some_result(comm, 10);
  check_fold_in(comm, result, "x.h5");
  result.fold_in.reset();
  EXPECT_THROW(check_fold_in(comm, result, "x.h5"), InputError);
  result.items = {};
  result.items.distribution = Distribution::even(0, comm.size());
  EXPECT_THROW(check_fold_in(comm, result, "x.h5"), InputError);
}

}  // namespace
}  // namespace cohort
