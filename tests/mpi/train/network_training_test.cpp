// NS4GC's loss and gradient against the formula in float64, to the bit between ways to put the shards on ranks and
// threads; the sums that weights' gradients are; networks trained by every loss, interrupted and going on elsewhere.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "comm/shard_sum.hpp"
#include "core/random.hpp"
#include "kernels/outer.hpp"
#include "support/train_support.hpp"
#include "train/ns4gc.hpp"
#include "train/trainer.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;
using testing_support::Whole;

constexpr std::int64_t columns = 10;

Ns4gcOptions options_of() {
  Ns4gcOptions options;
  options.pool = 37;
  options.split = 0.2;
  options.width = 0.3;
  options.seed = 5;
  return options;
}

/// Of a view; one node's row is zero.
double value_of(std::int64_t node, std::int64_t column, int view) {
  if (node == 3 && view == 1) return 0;
  std::mt19937 random(static_cast<unsigned>(node * 1000 + column) * 7U + 11U + static_cast<unsigned>(view));
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

/// The header's formula.
double loss_of(const SmallGraph& graph, const Dense& first, const Dense& second, std::int64_t epoch) {
  const auto options = options_of();
  const auto cosine = [&](std::int64_t i, std::int64_t j) {
    double dot = 0;
    double left = 0;
    double right = 0;
    for (std::int64_t c = 0; c < columns; ++c) {
      dot += first.at(i, c) * second.at(j, c);
      left += first.at(i, c) * first.at(i, c);
      right += second.at(j, c) * second.at(j, c);
    }
    return left > 0 && right > 0 ? dot / std::sqrt(left * right) : 0.0;
  };
  const auto nodes = static_cast<double>(graph.nodes);
  double loss = 0;
  for (std::int64_t i = 0; i < graph.nodes; ++i) loss -= cosine(i, i) / nodes;
  for (const auto& [place, weight] : graph.entries) {
    loss -= cosine(place.first, place.second) / static_cast<double>(graph.entries.size());
  }
  const CounterRandom random(options.seed, Purpose::contrast_pool);
  for (std::int64_t k = 0; k < options.pool; ++k) {
    const auto other = static_cast<std::int64_t>(random.below(
        static_cast<std::uint64_t>(graph.nodes), static_cast<std::uint64_t>(k), static_cast<std::uint32_t>(epoch)));
    for (std::int64_t i = 0; i < graph.nodes; ++i) {
      loss += 1 / (1 + std::exp(-(cosine(i, other) - options.split) / options.width)) /
              (nodes * static_cast<double>(options.pool));
    }
  }
  return loss;
}

struct Found {
  double loss = 0;
  Whole gradient[2];
  friend bool operator==(const Found& a, const Found& b) {
    return a.loss == b.loss && a.gradient[0] == b.gradient[0] && a.gradient[1] == b.gradient[1];
  }
};

Found run(const Communicator& comm, const ShardGraph& graph, int threads) {
  Ns4gc objective(comm, graph, columns, options_of(), threads);
  std::vector<double> partial(graph.layout.shards_of_rank.count(comm.rank()));
  Found found;
  for (const std::int64_t epoch : {1, 2}) {  // the first must leave nothing behind
    objective.begin_epoch(epoch);
    EXPECT_EQ(objective.plan(0), 1);
    const auto rows = objective.rows(0, 0);
    for (const int view : {0, 1}) {
      std::int64_t place = 0;
      for (const auto list : {rows.interior, rows.boundary}) {
        for (const LocalRow row : list) {
          const auto node = graph.node[row.value].value;
          for (std::int64_t c = 0; c < columns; ++c) {
            objective.outputs(0, view).row(place)[c] = static_cast<float>(value_of(node, c, view));
          }
          ++place;
        }
      }
    }
    for (const int view : {0, 1}) {
      const auto gradient = objective.gradient(0, view, {}, partial);
      Matrix owned(graph.owned(), columns);
      std::int64_t place = 0;
      for (const auto list : {gradient.rows.interior, gradient.rows.boundary}) {
        for (const LocalRow row : list) std::copy_n(gradient.value.row(place++), owned.stride(), owned.row(row.value));
      }
      found.gradient[view] = testing_support::gather(comm, graph, owned.view());
    }
  }
  found.loss = shard_sum(comm, graph.layout, partial);
  return found;
}

TEST(Ns4gc, LossAndGradientAreThoseOfTheFormulaWhereverShardsLie) {
  const auto comm = Communicator::world();
  for (const auto& small : {testing_support::star(25), testing_support::random_bipartite(20, 15, 80, 1)}) {
    SCOPED_TRACE(small.name);
    const auto cuts = testing_support::all_cuts(comm);
    const auto sharded = testing_support::shard(comm, small.block(comm), cuts.front());
    const auto found = run(comm, sharded.graph, 1);
    for (const auto& other : cuts) {
      EXPECT_EQ(run(comm, testing_support::shard(comm, small.block(comm), other).graph, 2), found);
    }
    Dense value[2] = {Dense(small.nodes, columns), Dense(small.nodes, columns)};
    for (const int view : {0, 1}) {
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        for (std::int64_t c = 0; c < columns; ++c) value[view].at(node, c) = value_of(node, c, view);
      }
    }
    EXPECT_NEAR(found.loss, loss_of(small, value[0], value[1], 2), 1e-6);
    if (comm.size() > 1) continue;
    for (const int view : {0, 1}) {
      double largest = 0;
      for (const float x : found.gradient[view].values) largest = std::max(largest, std::abs(static_cast<double>(x)));
      EXPECT_GT(largest, 0);
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto here = static_cast<double>(found.gradient[view].at(node, c));
          if (node == 3 && view == 1) {  // a row of zeros has no direction
            EXPECT_EQ(here, 0);
            continue;
          }
          constexpr double h = 1e-5;
          double& x = value[view].at(node, c);
          const double at = x;
          x = at + h;
          const double above = loss_of(small, value[0], value[1], 2);
          x = at - h;
          const double below = loss_of(small, value[0], value[1], 2);
          x = at;
          ASSERT_NEAR(here, (above - below) / (2 * h), 3e-5 * largest) << "view " << view << ", node " << node;
        }
      }
    }
  }
}

/// What a checkpoint holds, by NodeId.
struct Kept {
  testing_support::Snapshot rest;
  std::map<std::string, Whole> replicated;
};

Kept keep(const Communicator& comm, const ShardGraph& graph, const TrainView& view) {
  Kept kept{testing_support::snapshot(comm, graph, view), {}};
  for (const auto& [name, matrix] : view.state.replicated) {
    auto& whole = kept.replicated[name];
    whole.columns = matrix.columns;
    for (std::int64_t r = 0; r < matrix.rows; ++r) {
      whole.values.insert(whole.values.end(), matrix.at(r).begin(), matrix.at(r).end());
    }
  }
  return kept;
}

TrainStart start_of(const ShardGraph& graph, const Kept& kept) {
  TrainStart start{kept.rest.progress, {{}, {}, kept.rest.numbers}, "model.h5"};
  for (const auto& [name, whole] : kept.rest.rows) {
    Matrix owned(graph.owned(), whole.columns);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto node = graph.node[row].value;
      for (std::int64_t c = 0; c < whole.columns; ++c) owned.row(row)[c] = whole.at(node, c);
    }
    start.state.rows[name] = std::move(owned);
  }
  for (const auto& [name, whole] : kept.replicated) {
    Matrix matrix(std::ssize(whole.values) / whole.columns, whole.columns);
    for (std::int64_t r = 0; r < matrix.rows(); ++r) {
      for (std::int64_t c = 0; c < whole.columns; ++c) matrix.row(r)[c] = whole.at(r, c);
    }
    start.state.replicated[name] = std::move(matrix);
  }
  return start;
}

TEST(NetworkTraining, LearnsAndGoesOnElsewhereToTheSameBits) {
  const auto comm = Communicator::world();
  struct Case {
    EncoderKind encoder;
    LossKind loss;
    bool joint;
    std::size_t replicated;  ///< matrices of the checkpoint in the middle
  };
  // Of pairs, those of gcn stand for both networks. The joint phase begins after epoch 6.
  for (const Case& one :
       {Case{EncoderKind::gcn, LossKind::ns4gc, false, 6}, Case{EncoderKind::gcn, LossKind::softmax, false, 6},
        Case{EncoderKind::gcn, LossKind::bpr, false, 6}, Case{EncoderKind::sage, LossKind::ns4gc, false, 12},
        Case{EncoderKind::gcn, LossKind::dmon, false, 12}, Case{EncoderKind::sage, LossKind::dmon, false, 18},
        Case{EncoderKind::gcn, LossKind::ns4gc, true, 9}, Case{EncoderKind::lightgcn, LossKind::softmax, true, 3},
        Case{EncoderKind::lightgcn, LossKind::bpr, true, 3}}) {
    const auto encoder = one.encoder;
    const auto loss = one.loss;
    const bool joint = one.joint;
    for (const std::int64_t checkpoint : {5, 7}) {
      if (!joint && checkpoint == 7) continue;
      SCOPED_TRACE(static_cast<int>(encoder) * 100 + static_cast<int>(loss) * 10 + (joint ? 1 : 0));
      const auto data =
          loss == LossKind::bpr ? testing_support::friends_only(40, 120) : testing_support::shop(30, 20, 150, true);
      auto how = testing_support::options(2, 16, 8, SamplerKind::interactions);
      how.model.encoder = encoder;
      how.model.widths = {12};
      how.model.activation = Activation::selu;
      how.model.edge_dropout = 0.2;
      how.model.column_dropout = 0.1;
      how.model.smoothings = 1;
      how.train.loss = loss;
      how.train.start = StartKind::random;
      how.train.temperature = 0.2;
      how.train.decay = 1e-5;
      how.train.checkpoint_every = checkpoint;
      how.train.joint = joint;
      how.segment.count = 3;
      how.train.batch = loss == LossKind::bpr ? 50 : 17;
      Kept last;
      Kept middle;
      std::vector<double> losses;
      std::vector<std::int64_t> moved;
      how.on_epoch = [&](const EpochStats& epoch) {
        losses.push_back(epoch.loss);
        EXPECT_EQ(epoch.joint.has_value(), joint && epoch.epoch > 6);
        if (!epoch.joint) return;
        EXPECT_NEAR(epoch.joint->objective + epoch.joint->modularity, epoch.loss, 1e-12);
        moved.push_back(epoch.joint->moved);
      };
      const auto train_on = [&](const Communicator& ranks, const Distribution& cuts, const Kept* from) {
        const auto set = testing_support::training_set(ranks, data, cuts);
        moved.clear();
        how.on_state = [&](const TrainView& view) {
          auto kept = keep(ranks, set.sharded.graph, view);
          if (!view.ended && view.progress.epochs == checkpoint) middle = kept;
          if (view.ended) last = std::move(kept);
        };
        std::optional<TrainStart> start;
        if (from != nullptr) start = start_of(set.sharded.graph, *from);
        train(ranks, set.sharded.graph, set.sharded.directory, set.positives, how, std::move(start));
      };
      const auto cuts = testing_support::all_cuts(comm);
      train_on(comm, cuts[0], nullptr);
      EXPECT_LT(losses[5], losses.front());
      EXPECT_EQ(middle.replicated.size(), checkpoint == 5 && joint ? one.replicated - 3 : one.replicated);
      const auto expected_moved = moved;
      const auto expected = last;
      const auto from = middle;
      const auto self = Communicator::self();
      how.threads = 2;
      train_on(self, testing_support::on_last_rank(self), &from);
      EXPECT_EQ(last.rest.embedding, expected.rest.embedding) << "on one rank";
      EXPECT_EQ(last.replicated, expected.replicated);
      EXPECT_EQ(last.rest.numbers, expected.rest.numbers);
      if (checkpoint == 5) {
        EXPECT_EQ(moved, expected_moved);
      }
      train_on(comm, cuts[1], &from);
      EXPECT_EQ(last.rest.embedding, expected.rest.embedding) << "on other cuts";
      EXPECT_EQ(last.replicated, expected.replicated);
    }
  }
}

// The sum over shards of products of rows against exact ones: of small integers nothing is rounded.
TEST(WeightGradient, FoldsTheSumsOfShardsAsTheyAre) {
  const auto comm = Communicator::world();
  for (const std::int32_t shards : {1, 2, 5, 7, 64, 100}) {
    if (shards < comm.size()) continue;
    const ShardLayout layout{Distribution::even(shards, comm.size()), std::vector<std::int64_t>(shards + 1, 0)};
    constexpr std::int64_t rows = 3;
    constexpr std::int64_t columns = 5;
    const auto entry = [](std::int64_t shard, std::int64_t row, std::int64_t column) {
      return static_cast<float>((shard * 31 + row * 7 + column * 3) % 11 - 5);
    };
    const auto add = [&](std::int64_t local, std::span<double> sum) {
      const auto shard = layout.first_shard(comm.rank()) + local;
      const auto count = shard % 3 == 1 ? 0 : 1 + shard * 40;  // also none, and more than a block of them
      Matrix left(count, rows);
      Matrix right(count, columns);
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t c = 0; c < rows; ++c) left.row(i)[c] = entry(shard, i, c);
        for (std::int64_t c = 0; c < columns; ++c) right.row(i)[c] = entry(shard, i, c + 10);
      }
      add_outer_products(left.view(), right.view(), sum);
    };
    std::vector<double> exact(rows * columns, 0.0);
    for (std::int64_t shard = 0; shard < shards; ++shard) {
      for (std::int64_t i = 0; i < (shard % 3 == 1 ? 0 : 1 + shard * 40); ++i) {
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t c = 0; c < columns; ++c) {
            exact[r * columns + c] +=
                static_cast<double>(entry(shard, i, r)) * static_cast<double>(entry(shard, i, c + 10));
          }
        }
      }
    }
    for (const int threads : {1, 2, 3}) {
      EXPECT_EQ(ShardSum(comm, layout).fold(rows * columns, threads, add), exact) << shards;
    }
    // What is rounded is rounded as the tree of partials is.
    const auto third = [&](std::int64_t local) {
      return 1.0 / (3.0 + static_cast<double>(layout.first_shard(comm.rank()) + local));
    };
    std::vector<double> partials;
    for (std::int64_t k = 0; k < layout.shards_of_rank.count(comm.rank()); ++k) partials.push_back(third(k));
    const auto folded =
        ShardSum(comm, layout).fold(1, 2, [&](std::int64_t k, std::span<double> sum) { sum[0] += third(k); });
    EXPECT_EQ(folded.front(), ShardSum(comm, layout).of(partials));
  }
}

}  // namespace
}  // namespace cohort
