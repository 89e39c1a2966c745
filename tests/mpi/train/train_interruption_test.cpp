// Training that is interrupted and goes on: in the middle of epochs, on other ranks, to the bits of a run that never
// was.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "support/train_support.hpp"
#include "train/trainer.hpp"

namespace cohort {
namespace {

using testing_support::options;
using testing_support::run;
using testing_support::Snapshot;
using testing_support::snapshot;
using testing_support::TrainingSet;
using testing_support::Whole;

/// A snapshot as the start of training on a graph that lies on whatever ranks.
TrainStart start_of(const ShardGraph& graph, const Snapshot& from) {
  TrainStart start{from.progress, {{}, {}, from.numbers}, "model.h5"};
  for (const auto& [name, whole] : from.rows) {
    Matrix owned(graph.owned(), whole.columns);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto node = graph.node[row].value;
      for (std::int64_t c = 0; c < whole.columns; ++c) owned.row(row)[c] = whole.at(node, c);
    }
    start.state.rows[name] = std::move(owned);
  }
  return start;
}

/// Where the graph lies: all ranks with some cuts, or each rank alone with all of it.
struct Place {
  Communicator comm;
  TrainingSet set;
};

std::vector<Place> all_places(const testing_support::SmallData& data) {
  const auto world = Communicator::world();
  std::vector<Place> places;
  for (const auto& cuts : testing_support::all_cuts(world)) {
    places.push_back({world, testing_support::training_set(world, data, cuts)});
  }
  const auto self = Communicator::self();
  places.push_back({self, testing_support::training_set(self, data, testing_support::on_last_rank(self))});
  return places;
}

struct Outcome {
  Snapshot last;
  std::vector<double> loss;    ///< of every epoch
  std::int64_t calls = 0;      ///< of train()
  std::int64_t in_epochs = 0;  ///< interruptions in the middle of an epoch
};

/// Trains to the end, interrupted after `steps_until()` agreements of each call, which one rank alone asks for.
template <class StepsUntil>
Outcome with_interruptions(const std::vector<Place>& places, TrainOptions how, StepsUntil steps_until) {
  Outcome outcome;
  std::vector<double> loss;
  how.on_epoch = [&](const EpochStats& epoch) { loss.push_back(epoch.loss); };
  while (!outcome.last.ended) {
    const auto& place = places[outcome.calls % places.size()];
    const auto& comm = place.comm;
    const auto& set = place.set;
    const auto& graph = set.sharded.graph;
    const std::int64_t wait = steps_until();
    std::int64_t asked = 0;
    how.threads = 1 + static_cast<int>(outcome.calls % 2);
    how.asked_to_end = [&] { return ++asked >= wait && comm.rank() == outcome.calls % comm.size(); };
    std::vector<Snapshot> shown;
    how.on_state = [&](const TrainView& view) { shown.push_back(snapshot(comm, graph, view)); };
    std::optional<TrainStart> start;
    if (outcome.calls > 0) start = start_of(graph, outcome.last);
    try {
      train(comm, graph, set.sharded.directory, set.positives, how, std::move(start));
    } catch (const Interrupted& interrupted) {
      EXPECT_NE(interrupted.how_to_go_on().find("the same command again"), std::string::npos);
      EXPECT_FALSE(shown.back().ended);
    }
    EXPECT_EQ(shown.size(), 1U);
    // Ranks of their own come to the same, as the next call of all of them needs.
    outcome.last = std::move(shown.back());
    outcome.in_epochs += outcome.last.progress.step > 0 ? 1 : 0;
    ++outcome.calls;
  }
  outcome.loss = loss;
  return outcome;
}

void expect_same(const Snapshot& found, const Snapshot& expected) {
  EXPECT_EQ(found.progress.epochs, expected.progress.epochs);
  EXPECT_EQ(found.progress.step, 0);
  EXPECT_EQ(found.embedding, expected.embedding);
  EXPECT_EQ(found.numbers, expected.numbers);
  ASSERT_EQ(found.rows.size(), expected.rows.size());
  for (const auto& [name, rows] : expected.rows) EXPECT_EQ(found.rows.at(name), rows) << name;
}

std::vector<double> losses(const std::vector<EpochStats>& history) {
  std::vector<double> result;
  for (const auto& epoch : history) result.push_back(epoch.loss);
  return result;
}

TEST(Interruption, AfterEveryStepAndAtRandomOnOtherRanksGivesTheSameBits) {
  const auto data = testing_support::shop(40, 25, 200, true);
  const auto places = all_places(data);
  for (const auto sampler : {SamplerKind::interactions, SamplerKind::lightgcn}) {
    SCOPED_TRACE(static_cast<int>(sampler));
    auto how = options(2, 33, 3, sampler);
    how.train.checkpoint_every = 0;
    const auto whole = run(places[0].comm, places[0].set, how);
    const auto steps = whole.counts.history.front().steps;
    ASSERT_GE(steps, 3);

    const auto one_by_one = with_interruptions(places, how, [] { return 1; });
    expect_same(one_by_one.last, whole);
    EXPECT_EQ(one_by_one.loss, losses(whole.counts.history));
    EXPECT_EQ(one_by_one.calls, 3 * steps);
    EXPECT_EQ(one_by_one.in_epochs, 3 * (steps - 1));

    std::mt19937 random(3);
    std::int64_t wait = 0;
    const auto at_random = with_interruptions(places, how, [&] {
      wait = wait == 0 ? 1 : static_cast<std::int64_t>(1 + random() % 4);
      return wait;
    });
    expect_same(at_random.last, whole);
    EXPECT_EQ(at_random.loss, losses(whole.counts.history));
    EXPECT_GT(at_random.in_epochs, 0);
  }
}

TEST(Interruption, AfterTheLastStepIsTheEnd) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set = testing_support::training_set(comm, data, testing_support::on_last_rank(comm));
  auto how = options(1, 10, 1, SamplerKind::interactions);
  how.train.batch = 100000;
  how.asked_to_end = [] { return true; };
  EXPECT_TRUE(run(comm, set, how).ended);
  // An epoch that was begun is finished, whatever the number of epochs.
  how.train.batch = 50;
  std::optional<Snapshot> begun;
  how.on_state = [&](const TrainView& view) { begun = snapshot(comm, set.sharded.graph, view); };
  EXPECT_THROW(run(comm, set, how), Interrupted);
  ASSERT_TRUE(begun);
  ASSERT_EQ(begun->progress.step, 1);
  how.train.epochs = 0;
  how.on_state = nullptr;
  how.asked_to_end = [] { return false; };
  const auto finished = run(comm, set, how, start_of(set.sharded.graph, *begun));
  EXPECT_EQ(finished.progress.epochs, 1);
  EXPECT_EQ(finished.progress.step, 0);
}

TEST(Checkpoint, ByTheClockChangesNoBitAndIsGoneOnFrom) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  auto how = options(2, 10, 4, SamplerKind::lightgcn);
  how.train.checkpoint_every = 0;
  how.train.checkpoint_minutes = 0;
  std::vector<Snapshot> shown;
  how.on_state = [&](const TrainView& view) { shown.push_back(snapshot(comm, set.sharded.graph, view)); };
  const auto whole = run(comm, set, how);
  ASSERT_EQ(shown.size(), 1U);

  how.train.checkpoint_minutes = 1e-12;
  shown.clear();
  expect_same(run(comm, set, how), whole);
  ASSERT_GT(shown.size(), 2U);
  EXPECT_EQ(shown.front().progress.step, 1);
  how.on_state = nullptr;
  for (const auto& checkpoint : shown) {
    expect_same(run(comm, set, how, start_of(set.sharded.graph, checkpoint)), whole);
  }
}

TEST(Checkpoint, ByEpochsIsWhatTrainingWouldHaveReturned) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  auto how = options(2, 10, 6, SamplerKind::lightgcn);
  how.train.checkpoint_every = 2;
  std::vector<std::int64_t> told;
  std::vector<Snapshot> kept;
  how.on_epoch = [&](const EpochStats& stats) { told.push_back(stats.epoch); };
  how.on_state = [&](const TrainView& view) {
    EXPECT_EQ(std::ssize(view.history), view.progress.epochs);
    kept.push_back(snapshot(comm, set.sharded.graph, view));
  };
  const auto six = run(comm, set, how);
  EXPECT_EQ(told, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].progress.epochs, 2);
  EXPECT_EQ(kept[1].progress.epochs, 4);
  EXPECT_TRUE(kept[2].ended);
  how.on_state = nullptr;
  how.train.epochs = 4;
  expect_same(kept[1], run(comm, set, how));
}

TEST(Checkpoint, OfAnotherModelIsRefused) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  const auto& graph = set.sharded.graph;
  auto how = options(2, 10, 2, SamplerKind::interactions);
  const Snapshot good = run(comm, set, how);
  how.train.epochs = 3;
  const auto refused = [&](const std::string& expected, auto change) {
    auto start = start_of(graph, good);
    change(start);
    std::string message;
    try {
      run(comm, set, how, std::move(start));
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_EQ(message, comm.broadcast(message));
  };
  refused("no adam/first", [](TrainStart& start) { start.state.rows.erase("adam/first"); });
  refused("it has weight", [](TrainStart& start) { start.state.replicated["weight"] = Matrix(2, 2); });
  refused("adam/second has another shape",
          [&](TrainStart& start) { start.state.rows["adam/second"] = Matrix(graph.owned(), 11); });
  refused("no adam/steps", [](TrainStart& start) { start.state.numbers.erase("adam/steps"); });
  refused("adam/steps is no whole number", [](TrainStart& start) { start.state.numbers["adam/steps"] = 1.5; });
  refused("epoch_loss is no number", [](TrainStart& start) { start.state.numbers["epoch_loss"] = std::nan(""); });
  refused("1000000 steps", [](TrainStart& start) { start.progress.step = 1'000'000; });
  refused("-1 steps", [](TrainStart& start) { start.progress.step = -1; });
}

}  // namespace
}  // namespace cohort
