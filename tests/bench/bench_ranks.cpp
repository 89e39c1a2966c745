// Two ranks or more against one, one thread each, in one job so that the runs interleave: propagation, a training step,
// and the halo exchange against a plain message of its size. The first rank does the work of one rank alone
// while the others wait.
#include <mpi.h>

#include <memory>
#include <string>

#include "bench_areas.hpp"
#include "bench_graphs.hpp"
#include "comm/communicator.hpp"
#include "comm/row_exchange.hpp"
#include "graph/block_graph.hpp"
#include "model/lightgcn.hpp"
#include "partition/partition.hpp"
#include "train/trainer.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t layers = 3;
constexpr std::int64_t columns = 64;

/// The graph on the ranks of a communicator, ready to be propagated and trained on.
class Distributed {
 public:
  Distributed(const Communicator& comm, const Graph& graph, std::int64_t users) : comm_(comm) {
    const auto data = interactions_of(comm, graph, users);
    const auto blocks = bipartite_graph(comm, data, GraphConfig{});
    const auto parts = partition(comm, blocks, PartitionConfig{}, 42);
    sharded_ = distribute(comm, blocks, parts.shard_of, cut_points(parts.stats.shard_cost, comm.size()));
    positives_ = positives_of(comm, data, sharded_);
    propagation_ = std::make_unique<Propagation>(comm, sharded_.graph, columns, 1);
    base_ = propagation_->matrix();
    for (std::int64_t row = 0; row < sharded_.graph.owned(); ++row) base_.row(row)[row % columns] = 1.0F;
    received_ = Matrix(sharded_.graph.halo.received_rows(), columns);
    encoder_ = std::make_unique<LightGcn>(comm_, *propagation_, layers);
    exchange_ = std::make_unique<RowExchange>(comm_, columns);
  }

  double propagate() {
    comm_.barrier();
    return seconds_of([&] {
      encoder_->forward(base_);
      comm_.barrier();
    });
  }
  double step() {
    TrainOptions options;
    options.model.layers = layers;
    options.model.dim = columns;
    options.train.loss = LossKind::bpr;
    options.train.epochs = 1;
    options.train.decay = 1e-4;
    options.train.batch = (positives_.total + 3) / 4;
    const auto result = train(comm_, sharded_.graph, sharded_.directory, positives_, options);
    return result.history.front().seconds / static_cast<double>(result.history.front().steps);
  }
  double exchange_halo() {
    return seconds_of_exchange([&] { exchange_->start(propagation_->halo(), base_); });
  }
  /// The same by messages alone, as between machines.
  double exchange_by_messages() {
    return seconds_of_exchange([&] { exchange_->start(sharded_.graph.halo, base_.view(), received_.row(0)); });
  }
  /// What this rank sends in a halo exchange.
  std::int64_t halo_bytes() const { return sharded_.graph.halo.sent_rows() * columns * 4; }

 private:
  template <class Start>
  double seconds_of_exchange(Start start) {
    comm_.barrier();
    return seconds_of([&] {
      start();
      exchange_->finish();
      comm_.barrier();
    });
  }

  const Communicator& comm_;
  ShardedGraph sharded_;
  Positives positives_;
  std::unique_ptr<Propagation> propagation_;
  HaloMatrix base_;
  Matrix received_;
  // Kept, as a training run keeps them: their memory is touched in the run that is not measured.
  std::unique_ptr<LightGcn> encoder_;
  std::unique_ptr<RowExchange> exchange_;
};

/// One plain message to the next rank while one comes from the previous.
double seconds_of_message(const Communicator& comm, const std::vector<char>& out, std::vector<char>& in) {
  const int next = (comm.rank() + 1) % comm.size();
  const int previous = (comm.rank() + comm.size() - 1) % comm.size();
  comm.barrier();
  return seconds_of([&] {
    MPI_Sendrecv(out.data(), static_cast<int>(out.size()), MPI_BYTE, next, 7, in.data(), static_cast<int>(in.size()),
                 MPI_BYTE, previous, 7, comm.native(), MPI_STATUS_IGNORE);
    comm.barrier();
  });
}

}  // namespace

void bench_ranks(Bench& bench) {
  const auto world = Communicator::world();
  const auto alone = Communicator::self();
  const bool small = bench.options().small;
  const std::int64_t users = small ? 3'000 : 300'000;
  const Graph graph = small ? planted_graph(users, 600, 60'000, 8) : planted_graph(users, 60'000, 6'400'000, 64);
  Distributed together(world, graph, users);
  Distributed single(alone, graph, users);
  const auto all = std::to_string(world.size()) + " ranks";
  const double entries = 1e-9 * static_cast<double>(graph.entries() * columns * 4);
  const std::string name = graph.name + ", " + std::to_string(graph.entries()) + " entries";
  bench.measure(
      "propagation, " + name + ", 3 layers x 64", 1,
      {{all, layers * entries, "B", [&] { return world.max(together.propagate()); }, {"1 rank"}},
       {"1 rank", layers * entries, "B", [&] { return on_first(world, [&] { return single.propagate(); }); }, {}}});
  bench.measure(
      "training step, " + name + ", a quarter of the positives", 1,
      {{all, 2 * layers * entries, "B", [&] { return world.max(together.step()); }, {"1 rank"}},
       {"1 rank", 2 * layers * entries, "B", [&] { return on_first(world, [&] { return single.step(); }); }, {}}});
  const auto bytes = world.max(together.halo_bytes());
  const std::vector<char> out(bytes, 1);
  std::vector<char> in(out.size());
  const double halo = 1e-9 * static_cast<double>(bytes);
  bench.measure("halo of " + std::to_string(bytes / 1000) + " kB a rank, " + name, 1,
                {{"by messages, as between machines",
                  halo,
                  "B",
                  [&] { return world.max(together.exchange_by_messages()); },
                  {"plain message"}},
                 {"plain message", halo, "B", [&] { return world.max(seconds_of_message(world, out, in)); }, {}},
                 {"read in place, ranks meet", halo, "B", [&] { return world.max(together.exchange_halo()); }, {}}});
}

}  // namespace cohort::bench
