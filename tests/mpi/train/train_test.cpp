// Training against a dense float64 run of the same triples, to the bit between ways to put shards on ranks and threads,
// and the failures that all ranks must share.
#include <gtest/gtest.h>

#include <optional>

#include "core/random.hpp"
#include "support/train_support.hpp"
#include "train/trainer.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::options;
using testing_support::run;
using testing_support::SmallData;
using testing_support::TrainingSet;
using testing_support::Whole;

/// Layer 0 before training: the authors' normal(0, 0.1), keyed as the trainer keys it.
Dense initial_embedding(std::int64_t nodes, std::int64_t columns, std::int64_t seed) {
  const CounterRandom random(static_cast<std::uint64_t>(seed), Purpose::embedding_init);
  Dense result(nodes, columns);
  for (std::int64_t node = 0; node < nodes; ++node) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto pair = random.normal(static_cast<std::uint64_t>(node), static_cast<std::uint32_t>(c / 2));
      result.at(node, c) = 0.1 * pair[c % 2];
    }
  }
  return result;
}

struct DenseRun {
  Dense embedding;
  std::vector<double> loss;  // by epoch
};

DenseRun dense_training(const Communicator& comm, const SmallData& data, const TrainingSet& set,
                        const TrainOptions& how) {
  const auto graph = data.graph();
  DenseRun run{initial_embedding(graph.nodes, how.model.dim, how.train.seed), {}};
  Dense first(graph.nodes, how.model.dim);
  Dense second(graph.nodes, how.model.dim);
  double step = 0;
  for (std::int64_t epoch = 1; epoch <= how.train.epochs; ++epoch) {
    const auto triples = testing_support::triples_of_epoch(comm, set, how.train, epoch);
    double sum = 0;
    double steps = 0;
    for (std::size_t at = 0; at < triples.size(); at += static_cast<std::size_t>(how.train.batch)) {
      const auto batch =
          std::span(triples).subspan(at, std::min(triples.size() - at, static_cast<std::size_t>(how.train.batch)));
      sum += testing_support::dense_loss(graph, run.embedding, how.model.layers, how.train.decay, batch);
      const auto gradient =
          testing_support::dense_gradient(graph, run.embedding, how.model.layers, how.train.decay, batch);
      ++steps;
      ++step;
      for (std::size_t i = 0; i < gradient.values.size(); ++i) {
        const double g = gradient.values[i];
        first.values[i] = 0.9 * first.values[i] + 0.1 * g;
        second.values[i] = 0.999 * second.values[i] + 0.001 * g * g;
        const double m = first.values[i] / (1 - std::pow(0.9, step));
        const double v = second.values[i] / (1 - std::pow(0.999, step));
        run.embedding.values[i] -= how.train.learning_rate * m / (std::sqrt(v) + 1e-8);
      }
    }
    run.loss.push_back(sum / steps);
  }
  return run;
}

/// The mean difference is what rounding makes; a single element may differ by more where Adam divides two numbers that
/// are nearly nothing.
void expect_near(const Whole& found, const Dense& expected) {
  ASSERT_EQ(found.values.size(), expected.values.size());
  double sum = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(found.values[i]) - expected.values[i]);
    ASSERT_LT(difference, 3e-3) << "at " << i;
    sum += difference;
  }
  EXPECT_LT(sum / static_cast<double>(expected.values.size()), 3e-6);
}

TEST(DenseReference, GradientIsTheFiniteDifferenceOfTheLoss) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(14, 9, 50, true);
  const auto graph = data.graph();
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  const auto triples =
      testing_support::triples_of_epoch(comm, set, options(2, 5, 1, SamplerKind::interactions).train, 1);
  auto embedding = initial_embedding(graph.nodes, 5, 1);
  for (double& value : embedding.values) value *= 5;
  const auto gradient = testing_support::dense_gradient(graph, embedding, 2, 0.1, triples);
  for (std::size_t i = 0; i < embedding.values.size(); ++i) {
    constexpr double h = 1e-5;
    auto moved = embedding;
    moved.values[i] += h;
    const double above = testing_support::dense_loss(graph, moved, 2, 0.1, triples);
    moved.values[i] -= 2 * h;
    const double below = testing_support::dense_loss(graph, moved, 2, 0.1, triples);
    ASSERT_NEAR(gradient.values[i], (above - below) / (2 * h), 1e-9);
  }
}

TEST(Train, IsTheDenseRunAndTheSameBitsEverywhere) {
  const auto comm = Communicator::world();
  const auto plain = testing_support::shop(40, 25, 200, false);
  const auto with_friends = testing_support::shop(40, 25, 200, true);
  const auto social = testing_support::friends_only(30, 90);
  struct Case {
    const SmallData& data;
    std::int64_t layers;
    std::int64_t dim;
    SamplerKind sampler;
  };
  for (const auto& [data, layers, dim, sampler] :
       {Case{plain, 3, 64, SamplerKind::interactions}, Case{with_friends, 2, 33, SamplerKind::lightgcn},
        Case{plain, 0, 10, SamplerKind::interactions}, Case{with_friends, 1, 10, SamplerKind::interactions},
        Case{social, 3, 33, SamplerKind::interactions}, Case{social, 2, 10, SamplerKind::lightgcn}}) {
    SCOPED_TRACE(data.name + ", sampler " + std::to_string(static_cast<int>(sampler)) + ", layers " +
                 std::to_string(layers));
    std::optional<DenseRun> dense;
    Whole parameters;
    Whole embedding;
    Whole second_moment;
    std::vector<double> losses;
    int threads = 1;
    for (const auto& cuts : testing_support::all_cuts(comm)) {
      const auto set = testing_support::training_set(comm, data, cuts);
      const auto& graph = set.sharded.graph;
      auto how = options(layers, dim, 2, sampler);
      how.threads = threads++;
      const auto result = run(comm, set, how);
      std::vector<double> found_losses;
      for (const auto& epoch : result.counts.history) found_losses.push_back(epoch.loss);
      const auto& found = result.parameters();
      if (!dense) {
        dense = dense_training(comm, data, set, how);
        expect_near(found, dense->embedding);
        for (std::size_t e = 0; e < dense->loss.size(); ++e) EXPECT_NEAR(found_losses[e], dense->loss[e], 1e-6);
        parameters = found;
        embedding = result.embedding;
        second_moment = result.rows.at("adam/second");
        expect_near(embedding, testing_support::mean_of_layers(data.graph(), dense->embedding, layers));
        losses = found_losses;
        // Nothing of this is worth much if no rank needs another.
        EXPECT_EQ(comm.min(std::ssize(graph.ghost)) > 0, comm.size() > 1);
        EXPECT_EQ(comm.min(result.counts.remote_rows) > 0, comm.size() > 1);
        EXPECT_EQ(result.counts.history.front().remote_rows > 0, comm.size() > 1);
        EXPECT_EQ(result.counts.history.front().pair_bytes > 0, comm.size() > 1);
        EXPECT_GE(comm.max(result.counts.halo_bytes), result.counts.history.front().halo_bytes);
        EXPECT_GE(comm.max(result.counts.pair_bytes), result.counts.history.front().pair_bytes);
        EXPECT_EQ(result.counts.history.front().halo_bytes > 0, comm.size() > 1 && layers > 0);
        continue;
      }
      EXPECT_EQ(found, parameters);
      EXPECT_EQ(result.embedding, embedding);
      EXPECT_EQ(result.rows.at("adam/second"), second_moment);
      EXPECT_EQ(found_losses, losses);
    }
  }
}

TEST(Train, LossFalls) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(60, 30, 300, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  auto how = options(2, 33, 15, SamplerKind::interactions);
  how.train.decay = 1e-4;
  how.train.learning_rate = 0.02;
  const auto result = run(comm, set, how);
  EXPECT_NEAR(result.counts.history.front().loss, std::log(2.0), 0.05);
  EXPECT_LT(result.counts.history.back().loss, 0.8 * result.counts.history.front().loss);
}

/// The message of what `call` throws, the same on all ranks.
template <class Error, class Call>
std::string message_of(const Communicator& comm, Call call) {
  std::string message;
  try {
    call();
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message, comm.broadcast(message));
  return message;
}

TEST(Train, FailsAlikeOnAllRanks) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  for (const auto& cuts : testing_support::all_cuts(comm)) {
    const auto set = testing_support::training_set(comm, data, cuts);
    for (const double rate : {1e30, 1e300}) {
      auto how = options(3, 10, 4, SamplerKind::interactions);
      how.train.learning_rate = rate;
      const auto message = message_of<RunError>(comm, [&] { run(comm, set, how); });
      EXPECT_NE(message.find("diverged in epoch 1"), std::string::npos) << message;
      // One step, whose own loss is finite: what it leaves is not.
      how.train.batch = 100000;
      how.train.epochs = 1;
      how.train.learning_rate = 1e300;
      EXPECT_NE(message_of<RunError>(comm, [&] { run(comm, set, how); }).find("diverged"), std::string::npos);
    }
    auto wide = options(3, std::int64_t{1} << 34, 4, SamplerKind::interactions);
    const auto message = message_of<RunError>(comm, [&] { run(comm, set, wide); });
    EXPECT_NE(message.find("GiB"), std::string::npos) << message;
    EXPECT_NE(message.find("ranks"), std::string::npos) << message;
  }
  SmallData nothing{"nothing", 6, 4, {}, {}};
  for (std::int64_t item = 0; item < 4; ++item) nothing.interactions.insert({2, item});
  const auto set = testing_support::training_set(comm, nothing, testing_support::on_last_rank(comm));
  const auto message =
      message_of<InputError>(comm, [&] { run(comm, set, options(3, 10, 4, SamplerKind::interactions)); });
  EXPECT_NE(message.find("nothing to train on"), std::string::npos) << message;
}

TEST(Train, EndsWithItsTimeAfterAtLeastAnEpoch) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  auto how = options(1, 10, 1'000'000, SamplerKind::interactions);
  how.train.minutes = 1e-9;
  const auto result = run(comm, set, how);
  EXPECT_EQ(result.counts.progress.epochs, 1);
  how.train.minutes = 1e9;
  how.train.epochs = 3;
  EXPECT_EQ(run(comm, set, how).counts.progress.epochs, 3);
}

TEST(Train, MemoryIsEstimatedFromAbove) {
  const auto comm = Communicator::world();
  const auto data = testing_support::shop(40, 25, 200, false);
  const auto set =
      testing_support::training_set(comm, data, Distribution::even(testing_support::test_shards, comm.size()));
  const auto& graph = set.sharded.graph;
  const auto how = options(3, 64, 1, SamplerKind::interactions);
  const auto bytes = training_bytes(comm, graph, set.positives, how.model, how.train);
  // Parameters and two buffers, two moments, embedding and parameters of the result; ghosts are read in place.
  EXPECT_GE(bytes, std::int64_t{256} * 7 * graph.owned());
  auto wider = how.model;
  wider.dim = 128;
  const auto rows = training_bytes(comm, graph, set.positives, wider, how.train) - bytes;
  EXPECT_GE(rows, 256 * 7 * graph.owned());
}

}  // namespace
}  // namespace cohort
