// Propagation (sparse times dense, 64 columns): against reading an array of the same size, against PyTorch, and the
// order that METIS gives against the order of the input. Bytes are those of the neighbours' rows.
#include <memory>
#include <numeric>

#include "bench_areas.hpp"
#include "bench_graphs.hpp"
#include "bench_peer.hpp"
#include "core/matrix.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t columns = 64;

/// A graph and its matrices; pieces of consecutive rows with about the same number of entries, dealt to threads.
struct Propagation {
  explicit Propagation(Graph made) : graph(std::move(made)), in(graph.nodes(), columns), out(graph.nodes(), columns) {
    for (std::int64_t row = 0; row < graph.nodes(); ++row) {
      every_row.emplace_back(static_cast<std::int32_t>(row));
      for (std::int64_t column = 0; column < columns; ++column) {
        in.row(row)[column] = static_cast<float>((row + column) % 100) * 0.01F;
      }
    }
    constexpr std::int64_t pieces = 64;
    std::int64_t row = 0;
    for (std::int64_t piece = 1; piece <= pieces; ++piece) {
      const std::int64_t entries = graph.entries() * piece / pieces;
      while (row < graph.nodes() && (piece == pieces || graph.row_begin[row] < entries)) ++row;
      piece_end.push_back(row);
    }
  }

  void run(int threads) {
    const auto pieces = static_cast<int>(piece_end.size());
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (int piece = 0; piece < pieces; ++piece) {
      const std::int64_t first = piece == 0 ? 0 : piece_end[piece - 1];
      const std::int64_t count = piece_end[piece] - first;
      spmm(graph.rows(), std::span(every_row).subspan(first, count), in.view(), ConstMatrixView{}, 1.0F, out.view());
    }
  }

  double work() const {
    return 1e-9 * static_cast<double>(graph.entries() * columns * 4);
  }

  Graph graph;
  std::vector<LocalRow> every_row;
  std::vector<std::int64_t> piece_end;
  Matrix in;
  Matrix out;
};

void measure_graph(Bench& bench, const Graph& graph, std::int32_t parts, bool with_peer) {
  Propagation input_order(graph);
  Propagation metis_order(in_metis_order(graph, parts));
  const std::string group = "SpMM, " + graph.name + ", " + std::to_string(graph.nodes()) + " nodes, " +
                            std::to_string(graph.entries()) + " entries x 64";
  for (const int threads : bench.options().threads) {
    std::vector<Case> cases;
    cases.push_back({"input order",
                     input_order.work(),
                     "B",
                     [&] { return seconds_of([&] { input_order.run(threads); }); },
                     {"read"}});
    cases.push_back({"METIS order, " + std::to_string(parts) + " parts",
                     metis_order.work(),
                     "B",
                     [&] { return seconds_of([&] { metis_order.run(threads); }); },
                     {"read", "input order"}});
    cases.push_back(read_case(input_order.in.bytes(), threads));
    std::unique_ptr<GraphOnDisk> files;
    std::unique_ptr<PeerProcess> pytorch;
    if (with_peer && !bench.options().peer.empty()) {
      files = std::make_unique<GraphOnDisk>(graph);
      pytorch = std::make_unique<PeerProcess>(std::vector<std::string>{bench.options().peer, COHORT_BENCH_PEER_SCRIPT,
                                                                       files->directory(), std::to_string(columns),
                                                                       std::to_string(threads)});
      cases.push_back({"PyTorch", input_order.work(), "B", [&] { return pytorch->run(); }, {}});
      for (std::size_t i = 0; i < 2; ++i) cases[i].against.push_back("PyTorch");
    }
    bench.measure(group, threads, cases);
  }
}

}  // namespace

void bench_spmm(Bench& bench) {
  const bool small = bench.options().small;
  measure_graph(bench, small ? planted_graph(2'000, 1'000, 20'000, 1) : gowalla_graph(), small ? 8 : 64, true);
  measure_graph(bench, small ? planted_graph(3'000, 600, 60'000, 8) : planted_graph(300'000, 60'000, 6'400'000, 64),
                small ? 8 : 64, false);
}

}  // namespace cohort::bench
