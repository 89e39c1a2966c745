// Users folded in, placed and served, against dense arithmetic in float64 and plain maps and sorts. Every rank knows
// all of it and hands over its block only; what one rank alone computes must be had to the bit by any number.
#include "segment/fold_in.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "cluster/kmeans.hpp"
#include "core/error.hpp"
#include "graph/edge_weights.hpp"
#include "ingest_support.hpp"
#include "segment/assignment.hpp"
#include "segment/live_assigner.hpp"
#include "segment/newcomers.hpp"

namespace cohort {
namespace {

using Dense = std::vector<std::vector<double>>;

// User 4 and item 6 have no edge.
constexpr std::int64_t users = 14;
constexpr std::int64_t items = 11;

Dense zeros(std::int64_t rows, std::int64_t columns) {
  return Dense(static_cast<std::size_t>(rows), std::vector<double>(static_cast<std::size_t>(columns), 0.0));
}

Dense random_dense(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  auto result = zeros(rows, columns);
  for (auto& row : result) {
    for (auto& value : row) value = static_cast<float>(random()) / static_cast<float>(std::mt19937::max()) - 0.3F;
  }
  return result;
}

// Edge weights, users x items.
Dense some_edges() {
  std::mt19937 random(5);
  auto weight = zeros(users, items);
  for (std::size_t u = 0; u < weight.size(); ++u) {
    for (std::size_t i = 0; i < weight[u].size(); ++i) {
      if (u != 4 && i != 6 && random() % 3 == 0) weight[u][i] = 0.5 * static_cast<double>(1 + random() % 5);
    }
    if (u != 4) weight[u][u % 5] = 1;
  }
  return weight;
}

PairTable block_of(const Dense& edges, const Distribution& blocks, int rank) {
  PairTable table;
  for (auto u = blocks.begin(rank); u < blocks.end(rank); ++u) {
    const auto& row = edges[static_cast<std::size_t>(u)];
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == 0) continue;
      table.other.push_back(static_cast<std::int64_t>(i));
      table.weight.push_back(static_cast<float>(row[i]));
    }
    table.row_begin.push_back(table.size());
  }
  return table;
}

Matrix block_of_rows(const Dense& dense, std::int64_t first, std::int64_t count, std::int64_t columns) {
  Matrix result(count, columns);
  for (std::int64_t i = 0; i < count; ++i) {
    std::ranges::transform(dense[static_cast<std::size_t>(first + i)], result.row(i),
                           [](double value) { return static_cast<float>(value); });
  }
  return result;
}

// LightGCN's whole computation over a bipartite graph, by the formulas of the paper.
struct Reference {
  Dense edges = some_edges();
  std::vector<double> degree;  // users, then items
  Dense base, below, trained;  // E, S, e

  Reference(std::int64_t layers, std::int64_t columns)
      : degree(static_cast<std::size_t>(users + items), 0.0), base(random_dense(users + items, columns, 9)) {
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t i = 0; i < items; ++i) {
        degree[u] += edges[u][i];
        degree[users + i] += edges[u][i];
      }
    }
    auto layer = base;
    auto sum = base;
    below = base;
    for (std::int64_t l = 1; l <= layers; ++l) {
      below = sum;
      layer = propagate(layer);
      for (std::size_t n = 0; n < sum.size(); ++n) {
        for (std::size_t j = 0; j < sum[n].size(); ++j) sum[n][j] += layer[n][j];
      }
    }
    trained = sum;
    for (auto& row : trained) {
      for (auto& value : row) value /= static_cast<double>(layers + 1);
    }
  }
  Dense propagate(const Dense& in) const {
    auto out = zeros(users + items, std::ssize(in[0]));
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t i = 0; i < items; ++i) {
        if (edges[u][i] == 0) continue;
        const double value = edges[u][i] / std::sqrt(degree[u] * degree[users + i]);
        for (std::size_t j = 0; j < in[0].size(); ++j) {
          out[u][j] += value * in[users + i][j];
          out[users + i][j] += value * in[u][j];
        }
      }
    }
    return out;
  }
  /// n_u of all users.
  Dense neighbourhood() const { return propagate(below); }
  double scale() const {
    const auto n = neighbourhood();
    double with_trained = 0;
    double with_itself = 0;
    for (std::size_t u = 0; u < users; ++u) {
      for (std::size_t j = 0; j < n[u].size(); ++j) {
        with_trained += n[u][j] * trained[u][j];
        with_itself += n[u][j] * n[u][j];
      }
    }
    return with_trained / with_itself;
  }
};

// Even blocks, and everything on the last rank.
std::vector<Distribution> cuts(const Communicator& comm, std::int64_t total) {
  std::vector<std::int64_t> last(static_cast<std::size_t>(comm.size()) + 1, 0);
  last.back() = total;
  return {Distribution::even(total, comm.size()), Distribution(last)};
}

struct Folded {
  FoldInTable table;
  Matrix rows;
};

Folded fold(const Communicator& comm, const Reference& reference, const Distribution& user_blocks,
            const Distribution& item_blocks) {
  const auto rank = comm.rank();
  const auto columns = std::ssize(reference.base[0]);
  const auto edges = block_of(reference.edges, user_blocks, rank);
  const auto below = block_of_rows(reference.below, users + item_blocks.begin(rank), item_blocks.count(rank), columns);
  const auto trained = block_of_rows(reference.trained, user_blocks.begin(rank), user_blocks.count(rank), columns);
  Folded result;
  result.table = make_fold_in(comm, {below.view(), trained.view(), &edges, &item_blocks, &user_blocks});
  result.rows = fold_in(comm, result.table.rows.view(), item_blocks, edges);
  return result;
}

TEST(FoldIn, IsTheFormulaAndGivesBackTrainedUsers) {
  const auto comm = Communicator::world();
  struct Shape {
    std::int64_t layers, columns;
  };
  for (const auto [layers, columns] : {Shape{0, 10}, {1, 33}, {3, 33}}) {
    const Reference reference(layers, columns);
    const auto n = reference.neighbourhood();
    const double scale = reference.scale();
    const auto alone =
        fold(Communicator::self(), reference, Distribution::even(users, 1), Distribution::even(items, 1));
    for (std::size_t cut = 0; cut < 2; ++cut) {
      const auto user_blocks = cuts(comm, users)[cut];
      const auto item_blocks = cuts(comm, items)[cut];
      const auto folded = fold(comm, reference, user_blocks, item_blocks);
      ASSERT_EQ(folded.rows.rows(), user_blocks.count(comm.rank()));
      for (std::int64_t r = 0; r < folded.rows.rows(); ++r) {
        const auto user = user_blocks.begin(comm.rank()) + r;
        const auto u = static_cast<std::size_t>(user);
        for (std::size_t j = 0; j < n[u].size(); ++j) {
          const double found = folded.rows.row(r)[j];
          ASSERT_EQ(folded.rows.row(r)[j], alone.rows.row(user)[j]) << "the bits depend on the ranks";
          ASSERT_NEAR(found, scale * n[u][j], 1e-5);
          // With its own E_u the user is what training made of it.
          if (layers > 0) {
            const double with_own = (reference.base[u][j] + found / scale) / static_cast<double>(layers + 1);
            ASSERT_NEAR(with_own, reference.trained[u][j], 1e-5);
          }
        }
      }
      for (std::int64_t r = 0; r < folded.table.rows.rows(); ++r) {
        const auto item = item_blocks.begin(comm.rank()) + r;
        const auto i = static_cast<std::size_t>(item);
        std::int64_t count = 0;
        for (std::size_t u = 0; u < users; ++u) count += reference.edges[u][i] > 0 ? 1 : 0;
        ASSERT_EQ(folded.table.users[static_cast<std::size_t>(r)], count);
        for (std::int64_t j = 0; j < columns; ++j) {
          const double degree = reference.degree[users + i];
          const double expected =
              degree > 0 ? scale * reference.below[users + i][static_cast<std::size_t>(j)] / std::sqrt(degree) : 0.0;
          ASSERT_EQ(folded.table.rows.row(r)[j], alone.table.rows.row(item)[j]);
          ASSERT_NEAR(folded.table.rows.row(r)[j], expected, 1e-5);
        }
      }
    }
  }
}

TEST(FoldIn, OneUserHasTheBitsOfMany) {
  const auto comm = Communicator::world();
  const Reference reference(2, 33);
  const auto alone = fold(Communicator::self(), reference, Distribution::even(users, 1), Distribution::even(items, 1));
  const auto edges = block_of(reference.edges, Distribution::even(users, 1), 0);
  for (std::int64_t u = 0; u < users; ++u) {
    std::vector<LocalRow> item;
    std::vector<float> weight;
    for (auto k = edges.row_begin[static_cast<std::size_t>(u)]; k < edges.row_begin[static_cast<std::size_t>(u) + 1];
         ++k) {
      item.emplace_back(static_cast<std::int32_t>(edges.other[static_cast<std::size_t>(k)]));
      weight.push_back(edges.weight[static_cast<std::size_t>(k)]);
    }
    Matrix row(1, 33);
    fold_in_row(alone.table.rows.view(), item, weight, row.row(0));
    for (std::int64_t j = 0; j < row.stride(); ++j) EXPECT_EQ(row.row(0)[j], alone.rows.row(u)[j]);
  }
}

TEST(Placement, IsWhatKmeansSays) {
  const auto comm = Communicator::self();
  auto dense = random_dense(60, 10, 3);
  std::ranges::fill(dense[7], 0.0);
  const auto rows = block_of_rows(dense, 0, 60, 10);
  std::vector<NodeId> id;
  for (std::int64_t i = 0; i < 60; ++i) id.emplace_back(i);
  const ShardLayout layout{Distribution::even(1, 1), {0, 60}};
  const std::vector<std::int64_t> shard_begin{0, 60};
  for (const bool spherical : {false, true}) {
    for (const std::int64_t count : {1, 2, 5}) {
      KmeansOptions options;
      options.count = count;
      options.spherical = spherical;
      const auto expected = kmeans(comm, {rows.view(), id, shard_begin, &layout}, options);
      for (std::int64_t i = 0; i < 60; ++i) {
        const auto found = place(rows.row(i), expected.centroid.view(), spherical);
        const auto at = static_cast<std::size_t>(i);
        EXPECT_EQ(found.segment, expected.segment[at]) << i;
        EXPECT_EQ(found.distance, expected.distance[at]) << i;
        EXPECT_EQ(found.margin, expected.margin[at]) << i;
      }
    }
  }
  // Two equal centroids: the first, without a margin.
  const auto twice = block_of_rows({dense[0], dense[1], dense[1]}, 0, 3, 10);
  const auto found = place(rows.row(1), twice.view(), false);
  EXPECT_EQ(found.segment, 1);
  EXPECT_EQ(found.margin, 0.0F);
}

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
  return read_newcomers(testing_support::world(), files, result.items, result.fold_in->users);
}

TEST(Assign, FilesAndOneByOneAgreeToTheBit) {
  const auto comm = Communicator::world();
  const testing_support::Scratch scratch;
  struct Case {
    std::string scheme;
    std::int64_t columns, count;
  };
  for (const auto& [scheme, columns, count] : {Case{"binary", 10, 3}, {"log", 33, 50}, {"raw", 10, 50}}) {
    GraphConfig graph;
    graph.weight = scheme;
    const AssignOptions options{columns == 33, count};
    const auto result = some_result(comm, columns);
    const auto whole = some_result(Communicator::self(), columns);
    const auto newcomers = read_records(scratch, result, graph);
    const auto found = assign(comm, result, newcomers, options);
    LiveAssigner live(Communicator::self(), whole, graph, options);
    const auto first = newcomers.users.distribution.begin(comm.rank());
    EXPECT_EQ(newcomers.users.total(), 5);
    for (std::int64_t u = 0; u < newcomers.users.block_size(); ++u) {
      SCOPED_TRACE("user " + std::to_string(first + u) + " " + scheme);
      const auto at = static_cast<std::size_t>(u);
      std::vector<NamedInteraction> interactions;
      for (const auto& [item, weight] : some_records().at(std::string(newcomers.users[u]))) {
        interactions.push_back({item, weight});
      }
      const auto expected = live.answer(interactions);
      EXPECT_EQ(newcomers.edges.row_begin[at + 1] - newcomers.edges.row_begin[at], expected.known);
      EXPECT_EQ(newcomers.unknown[at], expected.unknown);
      EXPECT_EQ(found.placement[at].segment, expected.placement.segment);
      EXPECT_EQ(found.placement[at].distance, expected.placement.distance);
      EXPECT_EQ(found.placement[at].margin, expected.placement.margin);
      const auto best = std::span<const ScoredItem>(found.best)
                            .subspan(static_cast<std::size_t>(found.best_begin[at]),
                                     static_cast<std::size_t>(found.best_begin[at + 1] - found.best_begin[at]));
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
  graph.weight = "log";
  LiveAssigner live(comm, result, graph, {false, 4});
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
    const auto answer = live.answer(interactions);
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
  LiveAssigner live(comm, result, GraphConfig(), {false, 40});
  for (std::int64_t user = 0; user < 20; ++user) {
    const std::vector<NamedInteraction> interactions{{std::to_string(user * 50), 1}, {std::to_string(user), 1}};
    const auto best = live.answer(interactions).best;
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
      read_newcomers(comm, files, result.items, result.fold_in->users);
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
  raw.weight = "raw";
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
  files.graph.weight = "raw";
  files.graph.half_life = 2;
  files.graph.event_weights = {{"buy", 4}, {"view", 1}, {"hover", 0}};
  files.input.interactions = {scratch.write("aged.tsv",
                                            "user\titem\tevent\ttime\n"
                                            "a\ti1\tbuy\t1000000\n"
                                            "a\ti2\tview\t1172800\n"
                                            "a\ti3\thover\t1172800\n"
                                            "a\ti1\tview\t1172800\n")};
  const auto newcomers = read_newcomers(comm, files, result.items, result.fold_in->users);
  const auto weight = comm.all_gather(std::span<const float>(newcomers.edges.weight)).data;
  EXPECT_EQ(weight, (std::vector<float>{3, 1}));  // 4 halved in two days, and 1
  files.input.interactions = {scratch.write("timeless.tsv", "user\titem\tevent\na\ti1\tbuy\n")};
  const auto timeless = read_newcomers(comm, files, result.items, result.fold_in->users);
  EXPECT_EQ(comm.all_gather(std::span<const float>(timeless.edges.weight)).data, (std::vector<float>{4}));
}

TEST(FoldIn, ResultsThatCannotServeAreRefused) {
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
