// What training sends, predicted by one process for all ranks, against what training on those ranks counts: to the
// byte. What ranks would have of a graph, against the graphs of those ranks.
#include "train/step_traffic.hpp"

#include <gtest/gtest.h>

#include "comm/transfer_cost.hpp"
#include "support/train_support.hpp"
#include "train/calibration.hpp"

namespace cohort {
namespace {

using testing_support::all_cuts;
using testing_support::SmallData;
using testing_support::test_shards;
using testing_support::training_set;

std::vector<SmallData> data_sets() {
  return {testing_support::shop(60, 40, 400, true), testing_support::friends_only(70, 180)};
}

/// One process has the whole graph, cut for as many ranks.
testing_support::TrainingSet whole_set(const SmallData& data) {
  return training_set(Communicator::self(), data, Distribution::even(test_shards, 1));
}

TEST(RankShares, AreWhatTheRanksHave) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    const auto whole = whole_set(data);
    for (const auto& cuts : all_cuts(comm)) {
      const auto set = training_set(comm, data, cuts);
      const auto& graph = set.sharded.graph;
      const auto shares = rank_shares(Communicator::self(), whole.sharded.graph, cuts);
      ASSERT_EQ(shares.ranks(), comm.size());
      const auto& mine = shares.rank[comm.rank()];
      EXPECT_EQ(mine.owned, graph.owned()) << data.name;
      EXPECT_EQ(mine.ghosts, std::ssize(graph.ghost)) << data.name;
      EXPECT_EQ(mine.entries, std::ssize(graph.adjacency.column)) << data.name;
      EXPECT_EQ(mine.sent_rows, graph.halo.sent_rows()) << data.name;
      EXPECT_EQ(mine.neighbours, std::ssize(graph.halo.send_to)) << data.name;
      std::int64_t interior = 0;
      for (const LocalRow row : graph.interior) {
        interior += graph.adjacency.row_begin[row.value + 1] - graph.adjacency.row_begin[row.value];
      }
      EXPECT_EQ(mine.interior_entries, interior) << data.name;
      std::int64_t users = 0;
      std::int64_t sent_users = 0;
      for (std::int32_t row = 0; row < graph.owned(); ++row) users += graph.is_user(LocalRow{row}) ? 1 : 0;
      for (const auto row : graph.halo.send_rows) sent_users += graph.is_user(LocalRow{row}) ? 1 : 0;
      EXPECT_EQ(mine.users, users) << data.name;
      EXPECT_EQ(mine.sent_users, sent_users) << data.name;
    }
  }
}

TEST(RankShares, AreTheSameOfAnyNumberOfProcesses) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    const auto whole = whole_set(data);
    for (const auto& of_processes : all_cuts(comm)) {
      const auto set = training_set(comm, data, of_processes);
      for (const int ranks : {1, 2, 5, 7}) {
        const auto cuts = Distribution::even(test_shards, ranks);
        const auto expected = rank_shares(Communicator::self(), whole.sharded.graph, cuts);
        const auto found = rank_shares(comm, set.sharded.graph, cuts);
        for (int rank = 0; rank < ranks; ++rank) {
          const auto& a = found.rank[rank];
          const auto& b = expected.rank[rank];
          EXPECT_EQ(a.owned, b.owned);
          EXPECT_EQ(a.interior_entries, b.interior_entries);
          EXPECT_EQ(a.ghosts, b.ghosts);
          EXPECT_EQ(a.sent_rows, b.sent_rows);
          EXPECT_EQ(a.sent_users, b.sent_users);
          EXPECT_EQ(a.neighbours, b.neighbours);
        }
        auto how = testing_support::options(2, 16, 1, SamplerKind::interactions);
        const auto one =
            epoch_traffic(Communicator::self(), whole.sharded, whole.positives, expected, how.model, how.train, 0);
        const auto many = epoch_traffic(comm, set.sharded, set.positives, found, how.model, how.train, 0);
        EXPECT_EQ(one.halo_bytes, many.halo_bytes);
        EXPECT_EQ(one.pair_bytes, many.pair_bytes);
      }
    }
  }
}

struct Case {
  const char* name;
  EncoderKind encoder;
  LossKind loss;
  std::int64_t layers;
  std::vector<std::int64_t> widths;
  std::int64_t smoothings;
  SamplerKind sampler = SamplerKind::interactions;
};

std::vector<Case> cases() {
  return {{"plain factors", EncoderKind::lightgcn, LossKind::softmax, 0, {}, 0},
          {"one layer", EncoderKind::lightgcn, LossKind::softmax, 1, {}, 0},
          {"softmax", EncoderKind::lightgcn, LossKind::softmax, 3, {}, 0},
          {"bpr", EncoderKind::lightgcn, LossKind::bpr, 2, {}, 0},
          {"bpr as the authors draw", EncoderKind::lightgcn, LossKind::bpr, 3, {}, 0, SamplerKind::lightgcn},
          {"gcn", EncoderKind::gcn, LossKind::softmax, 2, {48}, 0},
          {"gcn with bpr", EncoderKind::gcn, LossKind::bpr, 1, {}, 0},
          {"contrasted gcn", EncoderKind::gcn, LossKind::ns4gc, 3, {20, 70}, 2},
          {"sage", EncoderKind::sage, LossKind::ns4gc, 2, {8}, 1}};
}

TEST(EpochTraffic, IsWhatTrainingCounts) {
  const auto comm = Communicator::world();
  for (const auto& data : data_sets()) {
    const auto whole = whole_set(data);
    for (const auto& each : cases()) {
      const bool every_epoch = each.loss != LossKind::bpr;
      auto how = testing_support::options(each.layers, 33, every_epoch ? 2 : 1, each.sampler);
      how.model.encoder = each.encoder;
      how.model.widths = each.widths;
      how.model.activation = Activation::relu;
      how.model.smoothings = each.smoothings;
      how.model.edge_dropout = how.model.column_dropout = 0;
      how.train.loss = each.loss;
      how.train.start = StartKind::random;
      how.train.batch = 17;
      how.train.temperature = 0.3;
      how.train.checkpoint_every = 0;
      how.train.checkpoint_minutes = 0;
      for (const auto& cuts : all_cuts(comm)) {
        const auto set = training_set(comm, data, cuts);
        const auto trained = testing_support::run(comm, set, how);
        const auto self = Communicator::self();
        const auto traffic = epoch_traffic(self, whole.sharded, whole.positives,
                                           rank_shares(self, whole.sharded.graph, cuts), how.model, how.train, 0);
        EXPECT_EQ(traffic.steps, trained.counts.history.front().steps) << each.name;
        const auto rank = comm.rank();
        EXPECT_EQ(how.train.epochs * traffic.halo_bytes[rank] + traffic.view_bytes[rank], trained.counts.halo_bytes)
            << data.name << ", " << each.name << ", " << comm.size() << " ranks";
        EXPECT_EQ(how.train.epochs * traffic.pair_bytes[rank], trained.counts.pair_bytes)
            << data.name << ", " << each.name << ", " << comm.size() << " ranks";
      }
    }
  }
}

TEST(Reductions, SendWhatTheTreeSends) {
  const std::vector<std::int64_t> position_begin{0, 1, 2, 3, 4};
  const auto layout = [&](std::vector<std::int64_t> begin) {
    return ShardLayout{Distribution(std::move(begin)), position_begin};
  };
  EXPECT_EQ(shard_sum_bytes(layout({0, 4}), 0, 10), 0);
  // A block each: the other's half of the columns, and the own half when it is finished.
  EXPECT_EQ(shard_sum_bytes(layout({0, 2, 4}), 0, 10), 8 * (5 + 5));
  // Shards 0 to 2 are two blocks of the tree, of which each has a row.
  EXPECT_EQ(shard_sum_bytes(layout({0, 3, 4}), 0, 10), 8 * (2 * 5 + 5));
  EXPECT_EQ(shard_sum_bytes(layout({0, 3, 4}), 1, 10), 8 * (5 + 5));
}

TEST(Calibration, TimesAnyGraphThatCanBeTrained) {
  for (const auto& data : data_sets()) {
    const auto whole = whole_set(data);
    for (const auto loss : {LossKind::softmax, LossKind::bpr}) {
      auto how = testing_support::options(2, 16, 5, SamplerKind::interactions);
      how.train.loss = loss;
      how.train.temperature = 0.3;
      const auto found = calibrate_steps(0, whole.sharded.graph, whole.positives, how, 0.05);
      EXPECT_GT(found.per_cost, 0);
      EXPECT_GE(found.fixed, 0);
      EXPECT_GT(found.propagation, 0);
      EXPECT_EQ(found.measured, whole.sharded.graph.owned() + std::ssize(whole.sharded.graph.adjacency.column));
    }
  }
}

}  // namespace
}  // namespace cohort
