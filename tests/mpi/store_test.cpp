// Files written by all ranks and read back in other blocks. What a file must hold is a formula of global numbers, so
// the same contents are asked for at every number of ranks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "store/graph_file.hpp"
#include "store/h5.hpp"
#include "store/model_file.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"

namespace cohort {
namespace {

namespace fs = std::filesystem;

class Store : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = comm_.broadcast((fs::temp_directory_path() / ("cohort-store-" + std::to_string(::getpid()))).string());
    if (comm_.is_root()) fs::create_directories(directory_);
    comm_.barrier();
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) fs::remove_all(directory_);
    comm_.barrier();
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  template <class Error>
  std::string message(const std::function<void()>& action) const {
    std::string text = "no error";
    try {
      action();
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_EQ(comm_.broadcast(text), text) << "the same error on all ranks";
    return text;
  }
  /// Rank 0 writes; all may read afterwards.
  void write_bytes(const std::string& name, const std::string& bytes) const {
    if (comm_.is_root()) std::ofstream(path(name), std::ios::binary) << bytes;
    comm_.barrier();
  }

  Communicator comm_ = Communicator::world();
  std::string directory_;
};

constexpr std::int64_t users = 37;
constexpr std::int64_t items = 11;

std::string id_of(std::int64_t number) {
  return number == 5 ? std::string(1024, 'x') : "id \xC3\xBC " + std::to_string(number);
}

IdTable some_ids(const Communicator& comm, std::int64_t total, std::int64_t offset) {
  IdTable ids;
  ids.distribution = Distribution::even(total, comm.size());
  for (auto i = ids.distribution.begin(comm.rank()); i < ids.distribution.end(comm.rank()); ++i) {
    ids.push_back(id_of(offset + i));
  }
  return ids;
}

// User u has u mod 4 pairs.
PairTable some_pairs(const Communicator& comm, bool times, std::int64_t others) {
  const auto blocks = Distribution::even(users, comm.size());
  PairTable pairs;
  for (auto u = blocks.begin(comm.rank()); u < blocks.end(comm.rank()); ++u) {
    for (std::int64_t k = 0; k < u % 4; ++k) {
      pairs.other.push_back((u + 3 * k) % others);
      pairs.weight.push_back(static_cast<float>(u) + 0.5F * static_cast<float>(k));
      if (times) pairs.time.push_back(1e9 + static_cast<double>(u));
    }
    pairs.row_begin.push_back(pairs.size());
  }
  return pairs;
}

Dataset some_dataset(const Communicator& comm) {
  Dataset dataset;
  dataset.users = some_ids(comm, users, 0);
  dataset.items = some_ids(comm, items, 1000);
  dataset.interactions = some_pairs(comm, true, items);
  dataset.holdout = some_pairs(comm, false, items);
  if (!dataset.holdout.other.empty()) dataset.holdout.other.front() = -1;
  dataset.social = some_pairs(comm, false, users);
  return dataset;
}

Provenance some_provenance(const Communicator& comm) {
  Provenance provenance{"9.9.9", "abc", "threads = 1\n", 7, comm.size(), 2, "AVX3", {}};
  provenance.inputs = {{"/a/b c", 12, std::string(64, 'f')}, {"ü", 0, ""}};
  return provenance;
}

Matrix some_matrix(std::int64_t first, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      matrix.row(i)[j] = std::sin(static_cast<float>((first + i) * columns + j));
    }
  }
  return matrix;
}

void expect_same(ConstMatrixView a, ConstMatrixView b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.columns, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.stride; ++j) ASSERT_EQ(a.row(i)[j], b.row(i)[j]) << i << ", " << j;
  }
}

void expect_same(const PairTable& a, const PairTable& b) {
  EXPECT_EQ(a.row_begin, b.row_begin);
  EXPECT_EQ(a.other, b.other);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.time, b.time);
}

void expect_same(const IdTable& a, const IdTable& b) {
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.begin, b.begin);
  EXPECT_EQ(a.total(), b.total());
}

TEST_F(Store, BlocksAreReadBackInAnyRanges) {
  // The last rank writes nothing; every rank reads a range of its own, the first none, and all overlap.
  const std::int64_t total = 1000;
  const int writers = std::max(1, comm_.size() - 1);
  const auto blocks = Distribution::even(total, writers);
  std::vector<std::int64_t> mine;
  if (comm_.rank() < writers) {
    for (auto i = blocks.begin(comm_.rank()); i < blocks.end(comm_.rank()); ++i) mine.push_back(i * i);
  }
  const auto first = comm_.rank() < writers ? blocks.begin(comm_.rank()) : total;
  const auto matrix = some_matrix(first, std::ssize(mine), 33);
  const std::vector<double> shared{1, 2.5, 3};
  {
    h5::Writer file(comm_, path("a.h5"));
    file.rows("deep/er/numbers", std::span<const std::int64_t>(mine));
    file.rows("rows", matrix.view());
    file.rows("empty", std::span<const float>());
    file.rows("empty_rows", matrix.view().slice(0, 0));
    file.shared("shared", std::span<const double>(shared));
    file.attribute("long", std::string(300'000, 'y'));
    file.attribute("none", std::vector<std::string>{});
    file.attribute("empty", "");
    EXPECT_FALSE(fs::exists(path("a.h5")));
    file.commit();
  }
  EXPECT_TRUE(fs::exists(path("a.h5")));
  const h5::Reader file(comm_, path("a.h5"));
  const std::int64_t begin = 100 * comm_.rank();
  const std::int64_t count = comm_.rank() == 0 ? 0 : 600;
  const auto numbers = file.rows<std::int64_t>("deep/er/numbers", begin, count);
  ASSERT_EQ(std::ssize(numbers), count);
  for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], (begin + i) * (begin + i));
  expect_same(file.matrix("rows", begin, count).view(), some_matrix(begin, count, 33).view());
  EXPECT_EQ(file.all<double>("shared"), shared);
  EXPECT_TRUE(file.all<float>("empty").empty());
  EXPECT_EQ(file.shape("empty_rows"), (std::vector<std::int64_t>{0, 33}));
  EXPECT_EQ(file.text_attribute("long"), std::string(300'000, 'y'));
  EXPECT_TRUE(file.texts_attribute("none").empty());
  EXPECT_EQ(file.text_attribute("empty"), "");
  const auto datasets = file.datasets();
  ASSERT_EQ(datasets.size(), 5U);
  EXPECT_EQ(datasets[0].name, "deep/er/numbers");
  EXPECT_EQ(datasets[0].type, "int64");
  EXPECT_EQ(datasets[3].shape, (std::vector<std::int64_t>{1000, 33}));
}

TEST_F(Store, MoreThanOneTransfer) {
  // 80 MB on rank 0, nothing elsewhere; read from all ranks in even blocks.
  const std::int64_t total = 20'000'000;
  std::vector<std::int32_t> mine(comm_.is_root() ? total : 0);
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = static_cast<std::int32_t>(i * 7);
  {
    h5::Writer file(comm_, path("large.h5"));
    file.rows("numbers", std::span<const std::int32_t>(mine));
    file.commit();
  }
  const auto blocks = Distribution::even(total, comm_.size());
  const auto first = blocks.begin(comm_.rank());
  const auto found =
      h5::Reader(comm_, path("large.h5")).rows<std::int32_t>("numbers", first, blocks.count(comm_.rank()));
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    wrong += found[i] != static_cast<std::int32_t>((static_cast<std::size_t>(first) + i) * 7) ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(Store, GraphFile) {
  GraphFile graph;
  graph.dataset = some_dataset(comm_);
  const auto& dataset = graph.dataset;
  const auto nodes = Distribution::even(users + items, comm_.size());
  StoredPartition partition;
  for (auto n = nodes.begin(comm_.rank()); n < nodes.end(comm_.rank()); ++n) {
    partition.shard_of.push_back(static_cast<std::int32_t>(n % 5));
  }
  partition.shard_cost = {5, 4, 3, 2, 1, 0};
  graph.partition = partition;
  graph.history.timing["prepare"] = {1.5, 2};
  graph.history.traffic["ghosts"] = {3, 4, 5};
  graph.provenance = some_provenance(comm_);
  write_graph_file(comm_, path("graph.h5"), graph);
  const auto found = read_graph_file(comm_, path("graph.h5"));
  expect_same(found.dataset.users, dataset.users);
  expect_same(found.dataset.items, dataset.items);
  expect_same(found.dataset.interactions, dataset.interactions);
  expect_same(found.dataset.holdout, dataset.holdout);
  expect_same(found.dataset.social, dataset.social);
  ASSERT_TRUE(found.partition);
  EXPECT_EQ(found.partition->shard_of, partition.shard_of);
  EXPECT_EQ(found.partition->shard_cost, partition.shard_cost);
  EXPECT_EQ(found.history.timing, graph.history.timing);
  EXPECT_EQ(found.history.traffic, graph.history.traffic);
  EXPECT_EQ(found.provenance.configuration, graph.provenance.configuration);
  EXPECT_EQ(found.provenance.seed, 7);
  ASSERT_EQ(found.dataset.files.size(), 2U);
  EXPECT_EQ(found.dataset.files[0].path, "/a/b c");
  EXPECT_EQ(found.dataset.files[0].sha256, std::string(64, 'f'));

  // A social graph: no items, nothing held out; a partition is no must.
  GraphFile social_graph;
  social_graph.provenance = graph.provenance;
  auto& social = social_graph.dataset;
  social.users = some_ids(comm_, users, 0);
  social.items.distribution = Distribution::even(0, comm_.size());
  social.social = some_pairs(comm_, false, users);
  social.interactions.row_begin = social.holdout.row_begin =
      std::vector<std::int64_t>(static_cast<std::size_t>(social.users.block_size()) + 1, 0);
  write_graph_file(comm_, path("graph.h5"), social_graph);
  const auto again = read_graph_file(comm_, path("graph.h5"));
  EXPECT_FALSE(again.dataset.has_items());
  EXPECT_FALSE(again.partition);
  expect_same(again.dataset.social, social.social);
  expect_same(again.dataset.interactions, social.interactions);
  const h5::Reader file(comm_, path("graph.h5"));
  EXPECT_FALSE(file.has("items/id"));
  EXPECT_FALSE(file.has("interactions/row_begin"));
  EXPECT_EQ(file.shape("social/row_begin").at(0), users + 1);
}

TEST_F(Store, ModelAndSegmentsFiles) {
  const auto nodes = Distribution::even(users + items, comm_.size());
  const auto block = [&](const Distribution& blocks, std::int64_t columns) {
    return some_matrix(blocks.begin(comm_.rank()), blocks.count(comm_.rank()), columns);
  };
  ModelFile model_file;
  model_file.shards = 16;
  model_file.provenance = some_provenance(comm_);
  auto& model = model_file.model;
  model.epochs = 3;
  model.embedding = block(nodes, 10);
  model.parameters = block(nodes, 10);
  model.first_moment = block(nodes, 10);
  model.second_moment = block(nodes, 10);
  model.loss = {0.7, 0.6, 0.5};
  write_model_file(comm_, path("model.h5"), model_file);
  const auto found = read_model_file(comm_, path("model.h5"), ModelPart::everything);
  EXPECT_EQ(found.model.epochs, 3);
  EXPECT_EQ(found.model.loss, model.loss);
  expect_same(found.model.embedding.view(), model.embedding.view());
  expect_same(found.model.second_moment.view(), model.second_moment.view());
  EXPECT_EQ(read_model_file(comm_, path("model.h5"), ModelPart::embedding).model.parameters.rows(), 0);
  const auto trained = read_model_file(comm_, path("model.h5"), ModelPart::trained);
  expect_same(trained.model.parameters.view(), model.parameters.view());
  EXPECT_EQ(trained.model.first_moment.rows(), 0);

  SegmentsFile segments_file;
  segments_file.shards = 16;
  segments_file.epochs = 1;
  segments_file.provenance = some_provenance(comm_);
  const auto user_ids = segments_file.users = some_ids(comm_, users, 0);
  const auto item_ids = segments_file.items = some_ids(comm_, items, 1000);
  auto& segments = segments_file.segments;
  for (auto u = user_ids.distribution.begin(comm_.rank()); u < user_ids.distribution.end(comm_.rank()); ++u) {
    segments.segment.push_back(static_cast<std::int32_t>(u % 2));
    segments.distance.push_back(static_cast<float>(u));
    segments.margin.push_back(static_cast<float>(-u));
    segments.map.insert(segments.map.end(), {static_cast<float>(u) / 2, static_cast<float>(-u)});
  }
  segments.users = block(user_ids.distribution, 4);
  segments.items = block(item_ids.distribution, 4);
  segments_file.fold_in = FoldInTable{block(item_ids.distribution, 4), {}};
  for (auto i = item_ids.distribution.begin(comm_.rank()); i < item_ids.distribution.end(comm_.rank()); ++i) {
    segments_file.fold_in->users.push_back(i * i);
  }
  segments.centroid = some_matrix(0, 2, 4);
  segments.size = {19, 18};
  segments.loss = {1};
  segments.inertia = {5, 4};
  write_segments_file(comm_, path("segments.h5"), segments_file);
  EXPECT_FALSE(read_segments_file(comm_, path("segments.h5")).recommendations);
  Recommendations recommended{"blend", 3, INFINITY, 0.25, {}, {}, {3, 2, -1, 4, 10, 0}, {1, 0.5, NAN, 3, 2, 1}};
  for (auto u = user_ids.distribution.begin(comm_.rank()); u < user_ids.distribution.end(comm_.rank()); ++u) {
    recommended.item.insert(recommended.item.end(), {u % items, (u + 1) % items, -1});
    recommended.score.insert(recommended.score.end(), {static_cast<float>(u), 0.5F, NAN});
  }
  segments_file.recommendations = recommended;
  write_segments_file(comm_, path("segments.h5"), segments_file);
  const auto result = read_segments_file(comm_, path("segments.h5"));
  expect_same(result.users, user_ids);
  expect_same(result.items, item_ids);
  EXPECT_EQ(result.segments.segment, segments.segment);
  EXPECT_EQ(result.segments.margin, segments.margin);
  EXPECT_EQ(result.segments.map, segments.map);
  expect_same(result.segments.users.view(), segments.users.view());
  expect_same(result.segments.items.view(), segments.items.view());
  expect_same(result.segments.centroid.view(), segments.centroid.view());
  ASSERT_TRUE(result.fold_in);
  expect_same(result.fold_in->rows.view(), segments_file.fold_in->rows.view());
  EXPECT_EQ(result.fold_in->users, segments_file.fold_in->users);
  EXPECT_EQ(result.segments.size, segments.size);
  EXPECT_EQ(result.segments.inertia, segments.inertia);
  EXPECT_EQ(result.shards, 16);
  ASSERT_TRUE(result.recommendations);
  EXPECT_EQ(result.recommendations->strategy, "blend");
  EXPECT_EQ(result.recommendations->count, 3);
  EXPECT_EQ(result.recommendations->smoothing, INFINITY);
  EXPECT_EQ(result.recommendations->blend_weight, 0.25);
  EXPECT_EQ(result.recommendations->item, recommended.item);
  EXPECT_EQ(result.recommendations->segment_item, recommended.segment_item);
  const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  EXPECT_TRUE(std::ranges::equal(result.recommendations->score, recommended.score, same));
  EXPECT_TRUE(std::ranges::equal(result.recommendations->segment_score, recommended.segment_score, same));
}

TEST_F(Store, FilesThatAreNotWhatTheyShouldBe) {
  const auto read = [&](const std::string& name) {
    return message<InputError>([&] { read_graph_file(comm_, path(name)); });
  };
  EXPECT_NE(read("missing.h5").find("missing.h5: No such file"), std::string::npos);
  EXPECT_NE(read(".").find("is not a file"), std::string::npos);
  write_bytes("text.h5", "this is no HDF5 file");
  EXPECT_NE(read("text.h5").find("text.h5 is not an HDF5 file"), std::string::npos);
  write_bytes("empty.h5", "");
  EXPECT_NE(read("empty.h5").find("empty.h5 is not an HDF5 file"), std::string::npos);

  GraphFile graph;
  graph.dataset = some_dataset(comm_);
  graph.provenance = some_provenance(comm_);
  write_graph_file(comm_, path("whole.h5"), graph);
  std::ifstream stream(path("whole.h5"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  for (const std::size_t part : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{9}}) {
    write_bytes("cut.h5", whole.substr(0, part));
    EXPECT_NE(read("cut.h5").find("cut.h5 is damaged or cut short"), std::string::npos) << part;
    comm_.barrier();
  }

  {
    h5::Writer file(comm_, path("foreign.h5"));
    file.attribute("title", "not ours");
    file.commit();
  }
  EXPECT_NE(read("foreign.h5").find("not one of Cohort's"), std::string::npos);
  {
    h5::Writer file(comm_, path("newer.h5"));
    file.attribute(schema::kind, "graph");
    file.attribute(schema::schema_version, schema::version + 1);
    file.commit();
  }
  EXPECT_NE(read("newer.h5").find("schema version 2"), std::string::npos);
  EXPECT_NE(message<InputError>([&] {
              read_model_file(comm_, path("whole.h5"), ModelPart::embedding);
            }).find("is a graph file; a model file is needed"),
            std::string::npos);
  {
    h5::Writer file(comm_, path("hollow.h5"));
    write_provenance(file, schema::graph_kind, some_provenance(comm_));
    const std::vector<float> wrong{1, 2};
    file.shared("users/id", std::span<const float>(wrong));
    file.commit();
  }
  EXPECT_NE(read("hollow.h5").find("/users/id does not hold strings"), std::string::npos);
  EXPECT_NE(message<InputError>([&] {
              h5::Reader(comm_, path("hollow.h5")).rows<float>("users/id", comm_.rank() == comm_.size() - 1 ? 1 : 0, 2);
            }).find("has 2 rows"),
            std::string::npos);
  EXPECT_NE(message<InputError>([&] {
              h5::Reader(comm_, path("hollow.h5")).all<float>("users/age");
            }).find("no dataset /users/age"),
            std::string::npos);
}

TEST_F(Store, AnUnfinishedFileLeavesNothingBehind) {
  write_bytes("kept.h5", "old");
  {
    h5::Writer file(comm_, path("kept.h5"));
    const std::vector<float> values{1, 2};
    file.shared("values", std::span<const float>(values));
  }
  comm_.barrier();
  EXPECT_EQ(fs::file_size(path("kept.h5")), 3U);
  const auto entries = std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  EXPECT_EQ(entries, 1);
  EXPECT_NE(message<InputError>([&] { h5::Writer(comm_, path("no/such/folder.h5")); }).find("No such file"),
            std::string::npos);
}

}  // namespace
}  // namespace cohort
