// One LightGCN training step (3 layers, 64 columns, 2,048 triples): against six propagations alone, which is what its
// arithmetic amounts to, and against PyTorch doing the authors' computation. Ours is the mean over the steps of an
// epoch of train(), drawing and planning the triples included; the graph is whole, but only one in twenty interactions
// is trained on, so that an epoch has some twenty steps.
#include <memory>
#include <numeric>

#include "bench_areas.hpp"
#include "bench_graphs.hpp"
#include "bench_peer.hpp"
#include "core/random.hpp"
#include "graph/block_graph.hpp"
#include "partition/partition.hpp"
#include "train/trainer.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t layers = 3;
constexpr std::int64_t columns = 64;
constexpr std::int64_t batch = 2048;

/// The interactions of a bipartite graph, each kept with the given probability.
Dataset dataset_of(const Graph& graph, std::int64_t users, double share) {
  const CounterRandom random(1, Purpose::quality_sample);
  Dataset data;
  data.users.distribution = Distribution::even(users, 1);
  data.items.distribution = Distribution::even(graph.nodes() - users, 1);
  for (std::size_t user = 0; user < static_cast<std::size_t>(users); ++user) {
    for (std::int64_t k = graph.row_begin[user]; k < graph.row_begin[user + 1]; ++k) {
      if (random.uniform(static_cast<std::uint64_t>(k)) >= share) continue;
      data.interactions.other.push_back(graph.column[k].value - users);
      data.interactions.weight.push_back(1.0F);
    }
    data.interactions.row_begin.push_back(std::ssize(data.interactions.other));
  }
  return data;
}

/// The graph as the program trains on it: in METIS shards.
ShardedGraph sharded_by_metis(const Communicator& comm, const Dataset& data) {
  const auto blocks = bipartite_graph(comm, data, GraphConfig{});
  const auto parts = partition(comm, blocks, PartitionConfig{}, 42);
  return distribute(comm, blocks, parts.shard_of, Distribution::even(parts.shards, 1));
}

double seconds_a_step(const Communicator& comm, const ShardedGraph& sharded, const Positives& positives, int threads) {
  TrainOptions options;
  options.model.layers = layers;
  options.model.dim = columns;
  options.train.loss = LossKind::bpr;
  options.train.epochs = 1;
  options.train.batch = batch;
  options.train.decay = 1e-4;
  options.threads = threads;
  const auto result = train(comm, sharded.graph, sharded.directory, positives, options);
  return result.history.front().seconds / static_cast<double>(result.history.front().steps);
}

/// As many propagations as a step has, each thread taking whole shards.
double seconds_of_propagations(const ShardGraph& graph, Matrix& in, Matrix& out, int threads) {
  const SparseRows rows{graph.adjacency.row_begin, graph.adjacency.column, graph.adjacency.value};
  const std::span<const LocalRow> all(graph.interior);
  const auto shards = static_cast<std::int64_t>(graph.interior_begin.size()) - 1;
  return seconds_of([&] {
    for (std::int64_t layer = 0; layer < 2 * layers; ++layer) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
      for (std::int64_t shard = 0; shard < shards; ++shard) {
        const auto first = static_cast<std::size_t>(graph.interior_begin[shard]);
        const auto last = static_cast<std::size_t>(graph.interior_begin[shard + 1]);
        spmm(rows, all.subspan(first, last - first), in.view(), ConstMatrixView{}, 1.0F, out.view());
      }
      std::swap(in, out);
    }
  });
}

}  // namespace

void bench_step(Bench& bench) {
  // One rank; nothing before this area needs MPI, and nothing after it.
  const auto comm = Communicator::world();
  const bool small = bench.options().small;
  const std::int64_t users = small ? 2'000 : 29'858;
  const Graph graph = small ? planted_graph(users, 1'000, 60'000, 1) : gowalla_graph();
  const auto sharded = sharded_by_metis(comm, dataset_of(graph, users, 1.0));
  const auto positives = positives_of(comm, dataset_of(graph, users, 0.05), sharded);
  Matrix in(graph.nodes(), columns);
  Matrix out(graph.nodes(), columns);
  const double work = 1e-9 * static_cast<double>(2 * layers * graph.entries() * columns * 4);
  for (const int threads : bench.options().threads) {
    std::vector<Case> cases;
    cases.push_back({"training step",
                     work,
                     "B",
                     [&] { return seconds_a_step(comm, sharded, positives, threads); },
                     {"six SpMM, METIS order"}});
    cases.push_back({"six SpMM, METIS order",
                     work,
                     "B",
                     [&] { return seconds_of_propagations(sharded.graph, in, out, threads); },
                     {}});
    std::unique_ptr<GraphOnDisk> files;
    std::unique_ptr<PeerProcess> pytorch;
    if (!bench.options().peer.empty()) {
      files = std::make_unique<GraphOnDisk>(graph);
      pytorch = std::make_unique<PeerProcess>(std::vector<std::string>{
          bench.options().peer, COHORT_BENCH_STEP_PEER_SCRIPT, files->directory(), std::to_string(users),
          std::to_string(columns), std::to_string(layers), std::to_string(batch), std::to_string(threads)});
      cases.push_back({"PyTorch", work, "B", [&] { return pytorch->run(); }, {}});
      cases.front().against.emplace_back("PyTorch");
    }
    bench.measure("training step, " + graph.name + ", " + std::to_string(graph.nodes()) + " nodes, " +
                      std::to_string(graph.entries()) + " entries, 3 layers x 64, batch 2048",
                  threads, cases);
  }
}

}  // namespace cohort::bench
