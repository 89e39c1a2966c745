// graph.h5, model.h5 and segments.h5 written by all ranks and read back in other blocks.
#include <gtest/gtest.h>

#include <cmath>

#include "store/graph_file.hpp"
#include "store/h5.hpp"
#include "store/model_file.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"
#include "support/store_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

class StoreFiles : public Store {};

TEST_F(StoreFiles, GraphFile) {
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
      std::vector<std::int64_t>(social.users.block_size() + 1, 0);
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

TEST_F(StoreFiles, ModelAndSegmentsFiles) {
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
  model.state.rows["parameters"] = block(nodes, 10);
  model.state.rows["adam/second"] = block(nodes, 3);
  model.state.replicated["weight"] = some_matrix(5, 4, 33);
  model.state.numbers = {{"adam/steps", 1e15}, {"loss", 0.1}};
  model.loss = {0.7, 0.6, 0.5};
  write_model_file(comm_, path("model.h5"), model_file);
  const auto found = read_model_file(comm_, path("model.h5"), ModelPart::checkpoint);
  EXPECT_EQ(found.model.epochs, 3);
  EXPECT_EQ(found.model.loss, model.loss);
  expect_same(found.model.embedding.view(), model.embedding.view());
  ASSERT_EQ(found.model.state.rows.size(), 2U);
  expect_same(found.model.state.rows.at("adam/second").view(), model.state.rows.at("adam/second").view());
  ASSERT_EQ(found.model.state.replicated.size(), 1U);
  expect_same(found.model.state.replicated.at("weight").view(), model.state.replicated.at("weight").view());
  EXPECT_EQ(found.model.state.numbers, model.state.numbers);
  EXPECT_TRUE(read_model_file(comm_, path("model.h5"), ModelPart::embedding).model.state.rows.empty());
  const auto trained = read_model_file(comm_, path("model.h5"), ModelPart::trained);
  expect_same(trained.model.parameters().view(), model.parameters().view());
  EXPECT_EQ(trained.model.state.rows.size(), 1U);
  // In the middle of an epoch it is for going on only.
  model.step = 7;
  write_model_file(comm_, path("model.h5"), model_file);
  EXPECT_EQ(read_model_file(comm_, path("model.h5"), ModelPart::checkpoint).model.step, 7);
  for (const auto part : {ModelPart::embedding, ModelPart::trained}) {
    EXPECT_THROW(read_model_file(comm_, path("model.h5"), part), InputError);
  }

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
  Recommendations recommended{
      "blend", 3, INFINITY, 0.25, 0.1,
      0.4,     2, {},       {},   {{3, 2, -1, 4, 10, 0}, {1, 0.5, NAN, 3, 2, 1}, {1, 0, 0, 0, 1, 0}},
      0,       {}};
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
  EXPECT_EQ(result.recommendations->filter_ridge, 0.1);
  EXPECT_EQ(result.recommendations->filter_power, 0.4);
  EXPECT_EQ(result.recommendations->filter_weight, 2);
  EXPECT_EQ(result.recommendations->item, recommended.item);
  EXPECT_EQ(result.recommendations->of_segments.item, recommended.of_segments.item);
  EXPECT_EQ(result.recommendations->of_segments.known, recommended.of_segments.known);
  const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  EXPECT_TRUE(std::ranges::equal(result.recommendations->score, recommended.score, same));
  EXPECT_TRUE(std::ranges::equal(result.recommendations->of_segments.score, recommended.of_segments.score, same));
}

}  // namespace
}  // namespace cohort
