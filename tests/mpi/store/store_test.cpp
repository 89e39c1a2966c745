// Files written by all ranks and read back in other blocks. What a file must hold is a formula of global numbers, so
// the same contents are asked for at every number of ranks.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "store/graph_file.hpp"
#include "store/h5.hpp"
#include "store/model_file.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"
#include "support/store_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

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
  const std::int64_t begin = std::int64_t{100} * comm_.rank();
  const std::int64_t count = comm_.rank() == 0 ? 0 : 600;
  const auto numbers = file.rows<std::int64_t>("deep/er/numbers", begin, count);
  ASSERT_EQ(std::ssize(numbers), count);
  for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(numbers[i], (begin + i) * (begin + i));
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
  for (const std::size_t part : {whole.size() - 1, whole.size() / 2, std::size_t{100}}) {
    write_bytes("cut.h5", whole.substr(0, part));
    EXPECT_NE(read("cut.h5").find("cut.h5 is damaged: it was cut short"), std::string::npos) << part;
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
  EXPECT_NE(read("newer.h5").find("schema version " + std::to_string(schema::version + 1)), std::string::npos);
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
  EXPECT_NE(read("hollow.h5").find("/users/id does not hold what a file of Cohort holds there"), std::string::npos);
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
