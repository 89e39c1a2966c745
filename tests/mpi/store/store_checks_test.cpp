// What is on disk is never trusted: every byte of a file is under a checksum, and values that have the right one are
// still looked at before they are used.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "store/graph_file.hpp"
#include "store/h5.hpp"
#include "store/model_file.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"
#include "support/store_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

class StoreChecks : public Store {
 protected:
  std::string content(const std::string& name) const {
    std::ifstream stream(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  Matrix block(const Distribution& blocks, std::int64_t columns) const {
    return some_matrix(blocks.begin(comm_.rank()), blocks.count(comm_.rank()), columns);
  }
  GraphFile graph() const {
    GraphFile graph;
    graph.dataset = some_dataset(comm_);
    graph.provenance = some_provenance(comm_);
    const auto nodes = Distribution::even(users + items, comm_.size());
    graph.partition.emplace();
    for (auto n = nodes.begin(comm_.rank()); n < nodes.end(comm_.rank()); ++n) {
      graph.partition->shard_of.push_back(static_cast<std::int32_t>(n % 3));
    }
    graph.partition->shard_cost = {5, 4, 3};
    graph.history.timing["prepare"] = {1.5, 2};
    return graph;
  }
  ModelFile model() const {
    const auto nodes = Distribution::even(users + items, comm_.size());
    ModelFile model;
    model.provenance = some_provenance(comm_);
    model.shards = 3;
    model.model.epochs = 2;
    model.model.embedding = block(nodes, 10);
    model.model.step = 1;
    model.model.state.rows[layer_zero_rows] = block(nodes, 10);
    model.model.state.rows["first"] = block(nodes, 10);
    model.model.state.replicated["weights"] = some_matrix(0, 3, 5);
    model.model.state.numbers["best"] = 0.5;
    model.model.loss = {0.7, 0.6};
    return model;
  }
  SegmentsFile segments() const {
    SegmentsFile result;
    result.provenance = some_provenance(comm_);
    result.users = some_ids(comm_, users, 0);
    result.items = some_ids(comm_, items, 1000);
    auto& segments = result.segments;
    const auto& blocks = result.users.distribution;
    for (auto u = blocks.begin(comm_.rank()); u < blocks.end(comm_.rank()); ++u) {
      segments.segment.push_back(static_cast<std::int32_t>(u % 2));
      segments.distance.push_back(static_cast<float>(u));
      segments.margin.push_back(1);
      segments.map.insert(segments.map.end(), {0, 1});
    }
    segments.users = block(blocks, 4);
    segments.items = block(result.items.distribution, 4);
    segments.centroid = some_matrix(0, 2, 4);
    segments.size = {19, 18};
    result.epochs = 1;
    segments.loss = {1};
    segments.inertia = {5, 4};
    Recommendations lists{"blend", 1, 1, 0.25, NAN, NAN, NAN, {}, {}, {{3, -1}, {1, NAN}, {0, 0}}, 0, {}};
    lists.item.assign(segments.segment.size(), 2);
    lists.score.assign(segments.segment.size(), 0.5F);
    result.recommendations = lists;
    return result;
  }

  // Flips a bit of bytes all over the file; `read` must refuse each such file. Returns how many of them by the name of
  // a dataset.
  int refused_for_a_dataset(const std::string& name, const std::function<void()>& read) {
    const auto whole = content(name);
    comm_.barrier();
    int named = 0;
    for (std::size_t at = 0; at < whole.size(); at += 587) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
      write_bytes(name, damaged);
      const auto text = message<InputError>(read);
      EXPECT_NE(text.find(name), std::string::npos) << "byte " << at << ": " << text;
      named += text.find("dataset /") != std::string::npos ? 1 : 0;
      comm_.barrier();
    }
    return named;
  }

  // `change` makes values wrong before they are written, with the checksums of the wrong ones.
  template <class File, class Change, class Write, class Read>
  void expect_refused(File file, Change change, Write write, Read read, const std::string& words) {
    change(file);
    write(comm_, path("wrong.h5"), file);
    const auto text = message<InputError>([&] { read(comm_, path("wrong.h5")); });
    EXPECT_NE(text.find(words), std::string::npos) << text;
    EXPECT_NE(text.find("wrong.h5"), std::string::npos) << text;
  }
};

TEST_F(StoreChecks, EveryByteCounts) {
  write_graph_file(comm_, path("graph.h5"), graph());
  EXPECT_GT(refused_for_a_dataset("graph.h5", [&] { read_graph_file(comm_, path("graph.h5")); }), 5);
  write_model_file(comm_, path("model.h5"), model());
  EXPECT_GT(refused_for_a_dataset("model.h5", [&] { read_model_file(comm_, path("model.h5"), ModelPart::checkpoint); }),
            5);
  write_segments_file(comm_, path("segments.h5"), segments());
  EXPECT_GT(refused_for_a_dataset("segments.h5", [&] { read_segments_file(comm_, path("segments.h5")); }), 5);
  for (const auto& more : {std::string("x"), std::string(100'000, '\0')}) {
    write_model_file(comm_, path("model.h5"), model());
    const auto whole = content("model.h5");
    comm_.barrier();
    write_bytes("model.h5", whole + more);
    EXPECT_NE(message<InputError>([&] {
                read_model_file(comm_, path("model.h5"), ModelPart::header);
              }).find("behind its end"),
              std::string::npos);
    comm_.barrier();
  }
}

TEST_F(StoreChecks, ChecksumsAreThoseOfZlibAndEachReadNeedsItsOwnBlocksOnly) {
  // 3.5 MiB in blocks that ranks share, the last rank having most.
  const std::int64_t total = 458'752;
  const auto begin = [&](int rank) {
    return rank == comm_.size() ? total : total * rank / (std::int64_t{2} * comm_.size());
  };
  std::vector<std::int64_t> all(total);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i * i);
  {
    h5::Writer file(comm_, path("long.h5"));
    file.attribute(schema::schema_version, schema::version);
    file.rows("numbers", std::span<const std::int64_t>(all).subspan(begin(comm_.rank()),
                                                                    begin(comm_.rank() + 1) - begin(comm_.rank())));
    file.commit();
  }
  auto whole = content("long.h5");
  const std::string_view bytes(reinterpret_cast<const char*>(all.data()), all.size() * sizeof(all[0]));
  const auto place = whole.find(bytes.substr(0, 4096));
  ASSERT_NE(place, std::string::npos);
  EXPECT_EQ(std::string_view(whole).substr(place, bytes.size()), bytes) << "contiguous";
  std::string checksums;
  for (std::size_t at = 0; at < bytes.size(); at += std::size_t{1} << 20) {
    const auto part = bytes.substr(at, std::size_t{1} << 20);
    const auto crc = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size())));
    checksums.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  }
  EXPECT_NE(whole.find(checksums), std::string::npos);

  comm_.barrier();
  whole[place + (std::size_t{5} << 19)] ^= 1;  // in the third of four blocks
  write_bytes("long.h5", whole);
  const h5::Reader file(comm_, path("long.h5"));
  const std::int64_t per_block = 131'072;
  EXPECT_EQ(file.rows<std::int64_t>("numbers", 3, 2 * per_block - 3).back(), all[2 * per_block - 1]);
  EXPECT_EQ(file.rows<std::int64_t>("numbers", 3 * per_block, 7).back(), all[3 * per_block + 6]);
  const auto refused = [&](std::int64_t first, std::int64_t count) {
    return message<InputError>([&] { file.rows<std::int64_t>("numbers", first, count); });
  };
  // One rank alone touches the block.
  EXPECT_NE(refused(comm_.is_root() ? 2 * per_block - 1 : 0, 2).find("dataset /numbers is damaged (bytes 2097152 to"),
            std::string::npos);
  EXPECT_NE(refused(3 * per_block - 1, 1).find("is damaged"), std::string::npos);
}

TEST_F(StoreChecks, WrongGraphsWithRightChecksums) {
  const auto refused = [&](const std::function<void(GraphFile&)>& change, const std::string& words) {
    expect_refused(graph(), change, write_graph_file, read_graph_file, words);
  };
  const auto last = [](auto& values) { return values.empty() ? nullptr : &values.back(); };
  refused(
      [&](GraphFile& g) {
        if (auto* item = last(g.dataset.interactions.other)) *item = items;
      },
      "dataset /interactions/item names items that the file does not have");
  refused(
      [&](GraphFile& g) {
        if (auto* user = last(g.dataset.social.other)) *user = -1;
      },
      "dataset /social/user names users");
  refused(
      [&](GraphFile& g) {
        if (auto* item = last(g.dataset.holdout.other)) *item = -2;
      },
      "dataset /holdout/item");
  refused(
      [&](GraphFile& g) {
        if (auto* weight = last(g.dataset.interactions.weight)) *weight = -1;
      },
      "dataset /interactions/weight");
  refused(
      [&](GraphFile& g) {
        if (auto* weight = last(g.dataset.social.weight)) *weight = NAN;
      },
      "dataset /social/weight");
  refused(
      [&](GraphFile& g) {
        if (auto* time = last(g.dataset.interactions.time)) *time = INFINITY;
      },
      "dataset /interactions/time");
  refused([&](GraphFile& g) { std::ranges::reverse(g.dataset.interactions.other); }, "does not ascend");
  refused(
      [&](GraphFile& g) {
        for (auto& shard : g.partition->shard_of) shard += 1;
      },
      "dataset /partition/shard names shards");
  refused([&](GraphFile& g) { g.partition->shard_cost[1] = -7; }, "dataset /partition/cost");
  refused(
      [&](GraphFile& g) {
        g.partition->shard_cost = {1, std::numeric_limits<std::int64_t>::max(), 1};
      },
      "dataset /partition/cost adds up to more than a number can hold");
  refused(
      [&](GraphFile& g) {
        auto& begin = g.dataset.interactions.row_begin;
        if (begin.size() > 3) std::swap(begin[2], begin[3]);
      },
      "dataset /interactions/row_begin does not ascend from 0 to");
  refused([&](GraphFile& g) { std::ranges::fill(g.dataset.users.bytes, 'a'); }, "dataset /users/id holds ids");
}

TEST_F(StoreChecks, AGroupIsWholeOrAbsent) {
  {
    h5::Writer file(comm_, path("group.h5"));
    const std::vector<double> value{1};
    file.shared("half/of/it", std::span<const double>(value));
    file.shared("whole/key", std::span<const double>(value));
    file.commit();
  }
  const h5::Reader file(comm_, path("group.h5"));
  EXPECT_TRUE(file.has_group_of("whole/key"));
  EXPECT_FALSE(file.has_group_of("absent/key"));
  EXPECT_FALSE(file.has_group_of("hal/key"));
  EXPECT_NE(message<InputError>([&] {
              file.has_group_of("half/key");
            }).find("group.h5: dataset /half/key is missing, although /half/of/it is there"),
            std::string::npos);
}

TEST_F(StoreChecks, WrongModelsWithRightChecksums) {
  const auto refused = [&](const std::function<void(ModelFile&)>& change, const std::string& words) {
    expect_refused(
        model(), change, write_model_file,
        [](const Communicator& comm, const std::string& path) { read_model_file(comm, path, ModelPart::checkpoint); },
        words);
  };
  refused([](ModelFile& m) { m.model.state.rows[layer_zero_rows].row(0)[3] = NAN; },
          "dataset /rows/parameters holds numbers that are not finite");
  refused([](ModelFile& m) { m.model.state.replicated["weights"].row(2)[4] = INFINITY; },
          "dataset /replicated/weights holds numbers that are not finite");
  refused([&](ModelFile& m) { m.model.state.rows["first"] = block(Distribution::even(users, comm_.size()), 10); },
          "dataset /rows/first has 37 rows");
  refused([](ModelFile& m) { m.model.state.numbers["best"] = NAN; },
          "dataset /numbers/best holds numbers that are not finite");
  refused(
      [](ModelFile& m) {
        m.model.state.rows["adam/first"] = std::move(m.model.state.rows["first"]);
        m.model.state.rows.erase(layer_zero_rows);
      },
      "dataset /rows/parameters is missing");
  EXPECT_NE(message<InputError>([] { ModelState().parameters(); }).find("/rows/parameters"), std::string::npos);
  refused([](ModelFile& m) { m.model.loss[1] = NAN; }, "dataset /history/loss holds numbers that are not finite");
  refused([](ModelFile& m) { m.model.epochs = 3; }, "dataset /history/loss has 2 rows");
}

TEST_F(StoreChecks, WrongSegmentsWithRightChecksums) {
  const auto refused = [&](const std::function<void(SegmentsFile&)>& change, const std::string& words) {
    expect_refused(
        segments(), change, write_segments_file,
        [](const Communicator& comm, const std::string& path) { read_segments_file(comm, path); }, words);
  };
  refused([](SegmentsFile& s) { s.segments.segment[0] = 2; }, "dataset /users/segment names segments");
  refused([](SegmentsFile& s) { s.segments.segment[0] = std::numeric_limits<std::int32_t>::min(); },
          "dataset /users/segment names segments");
  refused([](SegmentsFile& s) { s.segments.size = {18, 19}; }, "dataset /segments/size does not count");
  refused([](SegmentsFile& s) { s.segments.distance[0] = NAN; }, "dataset /users/distance");
  refused([](SegmentsFile& s) { s.segments.margin[0] = NAN; }, "dataset /users/margin");
  refused([](SegmentsFile& s) { s.segments.margin[0] = INFINITY; }, "dataset /users/margin");
  refused([](SegmentsFile& s) { s.segments.loss[0] = INFINITY; }, "dataset /history/loss");
  refused([](SegmentsFile& s) { s.epochs = 1'000'000'000'000'000; }, "dataset /history/loss has 1 rows");
  refused([](SegmentsFile& s) { s.segments.map[1] = INFINITY; }, "dataset /users/map");
  refused([](SegmentsFile& s) { s.segments.users.row(0)[1] = NAN; }, "dataset /users/embedding");
  refused([](SegmentsFile& s) { s.segments.centroid.row(1)[1] = INFINITY; }, "dataset /segments/centroid");
  refused([](SegmentsFile& s) { s.segments.centroid = some_matrix(0, 3, 4); }, "dataset /segments/centroid has 3 rows");
  refused([&](SegmentsFile& s) { s.segments.users = block(s.users.distribution, 5); },
          "dataset /users/embedding has another shape");
  refused([](SegmentsFile& s) { s.segments.distance.push_back(0); }, "dataset /users/distance has");
  refused([](SegmentsFile& s) { s.recommendations->item[0] = items; },
          "dataset /users/recommendations/item names items");
  refused([](SegmentsFile& s) { s.recommendations->score[0] = NAN; }, "dataset /users/recommendations/score");
  refused([](SegmentsFile& s) { s.recommendations->of_segments.item[1] = -2; },
          "dataset /segments/recommendations/item");
}

}  // namespace
}  // namespace cohort
