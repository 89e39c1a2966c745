// One training step of a GCN of two layers on a graph of users alone: forward, backward, the gradients of the weights
// reduced over all shards, Adam on the weights and on layer 0, for a gradient of the embedding that is given. Against
// the arithmetic that it is made of, and against PyTorch Geometric and DGL on the same graph; under mpirun the ranks
// against one, and the reduction of the weights' gradients alone.
#include <memory>
#include <string>

#include "bench_areas.hpp"
#include "bench_graphs.hpp"
#include "bench_peer.hpp"
#include "comm/communicator.hpp"
#include "comm/shard_sum.hpp"
#include "graph/user_graph.hpp"
#include "graph/user_similarity.hpp"
#include "model/network.hpp"
#include "partition/partition.hpp"
#include "train/learned_rows.hpp"
#include "train/learned_weights.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t layers = 2;
constexpr std::int64_t widths[] = {64, 256};

// The users of a made-up population, joined by what they share, in METIS shards.
struct UserGraph {
  Dataset data;
  ShardedGraph sharded;

  UserGraph(const Communicator& comm, const Options& options) {
    const std::int64_t users = options.small ? 3'000 : 300'000;
    const auto graph =
        options.small ? planted_graph(users, 600, 60'000, 8) : planted_graph(users, 60'000, 6'400'000, 64);
    data = interactions_of(comm, graph, users);
    data.users_alone = true;
    GraphConfig config;
    config.neighbours = 10;  // the default's 50 take METIS minutes
    data.neighbours = similar_users(comm, data, config).edges;
    const auto blocks = block_graph(comm, data, config);
    const auto parts = partition(comm, blocks, PartitionConfig(), 42);
    sharded = distribute(comm, blocks, parts.shard_of, cut_points(parts.stats.shard_cost, comm.size()));
  }

  std::int64_t entries(const Communicator& comm) const { return comm.sum(data.neighbours.size()); }
};

class GcnStep {
 public:
  GcnStep(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, int threads)
      : comm_(comm),
        propagation_(comm, graph, columns, threads),
        rows_(comm, propagation_),
        network_(comm, propagation_, {EncoderKind::gcn, {columns}, Activation::relu, 0, 42}, {}),
        weights_(network_.weights(), "adam/steps"),
        out_(graph.owned(), columns),
        gradient_(graph.owned(), columns),
        no_decay_(graph.owned(), 0.0F) {
    rows_.initialise(1);
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      for (std::int64_t c = 0; c < columns; ++c) {
        gradient_.row(row)[c] = static_cast<float>((row * 7 + c * 13) % 101 - 50) * 1e-4F;
      }
    }
  }

  double run() {
    comm_.barrier();
    return seconds_of([&] {
      network_.look(0, {});
      network_.forward(rows_.matrix(), propagation_.all_rows(), out_.view());
      const auto adam = rows_.next_step(1e-3);
      network_.backward(
          {propagation_.all_rows(), {}, &no_halo_, gradient_.view()},
          [&](std::span<const LocalRow> rows, MatrixView block) { rows_.update(adam, no_decay_, rows, block); });
      weights_.update(1e-3, 0, network_.weight_gradients());
      comm_.barrier();
    });
  }

 private:
  const Communicator& comm_;
  Propagation propagation_;
  LearnedRows rows_;
  Network network_;
  LearnedWeights weights_;
  Matrix out_;
  Matrix gradient_;
  std::vector<float> no_decay_;
  ExchangePlan no_halo_;
};

// Forward, by the input and by the weight; forward and by the input. GFLOP.
double products_of(std::int64_t users, std::int64_t columns) {
  return 1e-9 * static_cast<double>(layers * 3 * 2 * users * columns * columns);
}
double work_of(std::int64_t users, std::int64_t entries, std::int64_t columns) {
  return products_of(users, columns) + 1e-9 * static_cast<double>(layers * 2 * 2 * entries * columns);
}

double seconds_of_gathers(const ShardGraph& graph, const Matrix& in, Matrix& out, int threads) {
  const SparseRows rows{graph.adjacency.row_begin, graph.adjacency.column, graph.adjacency.value};
  const std::span<const LocalRow> all(graph.interior);
  const auto shards = static_cast<std::int64_t>(graph.interior_begin.size()) - 1;
  return seconds_of([&] {
    for (std::int64_t product = 0; product < 2 * layers; ++product) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
      for (std::int64_t shard = 0; shard < shards; ++shard) {
        const auto first = static_cast<std::size_t>(graph.interior_begin[shard]);
        const auto last = static_cast<std::size_t>(graph.interior_begin[shard + 1]);
        spmm(rows, all.subspan(first, last - first), in.view(), in.view(), 1.0F, out.view());
      }
    }
  });
}

/// As peers read it: weights as they are.
Graph plain_graph(const Dataset& data) {
  Graph graph;
  graph.row_begin = data.neighbours.row_begin;
  for (const auto other : data.neighbours.other) graph.column.emplace_back(static_cast<std::int32_t>(other));
  graph.value = data.neighbours.weight;
  return graph;
}

std::string title(const UserGraph& graph, std::int64_t users, std::int64_t entries, std::int64_t columns) {
  return "GCN step, " + std::to_string(users) + " users, " + std::to_string(entries) + " entries, " +
         std::to_string(graph.sharded.graph.layout.shards()) + " shards, 2 layers x " + std::to_string(columns);
}

}  // namespace

void bench_network(Bench& bench) {
  const auto comm = Communicator::world();
  const UserGraph graph(comm, bench.options());
  const auto users = graph.data.users.total();
  const auto entries = graph.entries(comm);
  const GraphOnDisk files(plain_graph(graph.data));
  for (const auto columns : widths) {
    const double work = work_of(users, entries, columns);
    const Matrix in(users, columns);
    Matrix out(users, columns);
    for (const int threads : bench.options().threads) {
      GcnStep step(comm, graph.sharded.graph, columns, threads);
      const auto gemm = gemm_case(users, columns, columns, threads);
      std::vector<Case> cases{{"GCN step", work, "FLOP", [&] { return step.run(); }, {"its products alone"}},
                              {"its products alone",
                               work,
                               "FLOP",
                               [&] {
                                 double seconds = seconds_of_gathers(graph.sharded.graph, in, out, threads);
                                 for (std::int64_t product = 0; product < 3 * layers; ++product) seconds += gemm.run();
                                 return seconds;
                               },
                               {}}};
      std::vector<std::unique_ptr<PeerProcess>> peers;
      const std::pair<const char*, const std::string&> libraries[] = {{"PyTorch Geometric", bench.options().peer},
                                                                      {"DGL", bench.options().dgl}};
      for (const auto& [library, python] : libraries) {
        if (python.empty()) continue;
        auto* const peer = peers
                               .emplace_back(std::make_unique<PeerProcess>(std::vector<std::string>{
                                   python, COHORT_BENCH_NETWORK_PEER_SCRIPT, library, files.directory(),
                                   std::to_string(layers), std::to_string(columns), std::to_string(threads)}))
                               .get();
        cases.push_back({library, work, "FLOP", [peer] { return peer->run(); }, {}});
        cases.front().against.emplace_back(library);
      }
      bench.measure(title(graph, users, entries, columns), threads, cases);
    }
  }
}

void bench_network_ranks(Bench& bench) {
  const auto world = Communicator::world();
  const auto alone = Communicator::self();
  const UserGraph together(world, bench.options());
  const UserGraph single(alone, bench.options());
  const auto users = single.data.users.total();
  const auto entries = single.entries(alone);
  const auto all = std::to_string(world.size()) + " ranks";
  for (const auto columns : widths) {
    GcnStep step(world, together.sharded.graph, columns, 1);
    GcnStep step_alone(alone, single.sharded.graph, columns, 1);
    const ShardSum shard_sum(world, together.sharded.graph.layout);
    const double work = work_of(users, entries, columns);
    const auto reduce = [&] {
      world.barrier();
      return seconds_of([&] {
        for (std::int64_t layer = 0; layer < layers; ++layer) {
          shard_sum.fold(columns * columns, 1, [](std::int64_t /*shard*/, std::span<double> /*partial*/) {});
        }
      });
    };
    bench.measure(title(single, users, entries, columns), 1,
                  {{all, work, "FLOP", [&] { return world.max(step.run()); }, {"1 rank"}},
                   {"1 rank", work, "FLOP", [&] { return on_first(world, [&] { return step_alone.run(); }); }, {}},
                   {"gradients of zeros folded and reduced", work, "FLOP", [&] { return world.max(reduce()); }, {}}});
  }
}

}  // namespace cohort::bench
