// cohort_bench: each kernel as a ratio to the machine's limit and to a peer, measured in the same run; under mpirun
// with several ranks, those ranks against one (docs/benchmarks.md).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

#include "bench_areas.hpp"
#include "comm/communicator.hpp"
#include "kernels/dispatch.hpp"

int main(int argc, char** argv) {
  using namespace cohort::bench;
  const cohort::MpiEnvironment mpi(&argc, &argv);
  Options options;
  std::string json;
  CLI::App app("Measures Cohort's kernels against the machine's limits and peers.");
  app.add_option("--threads", options.threads, "Numbers of threads, one table each")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "Rounds; medians are shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--only", options.only,
                 "Areas whose names contain this: limits, spmm, kmeans, adam, parse, step, network, recommend, "
                 "store; of several ranks: ranks, network");
  app.add_flag("--small", options.small, "Small sizes: tries the harness, the figures mean nothing");
  app.add_option("--peer", options.peer,
                 "A Python interpreter, run beside: with PyTorch, PyTorch Geometric and scikit-learn, for parse with "
                 "pyarrow, pandas and polars");
  app.add_option("--dgl", options.dgl, "A Python interpreter with DGL, run beside the area network");
  app.add_option("--json", json, "Also write every time into this file");
  CLI11_PARSE(app, argc, argv);
  setenv("BLIS_NUM_THREADS", "1", 1);  // called from our threads, one piece each

  const std::pair<const char*, void (*)(Bench&)> areas[] = {
      {"limits", bench_limits},   {"spmm", bench_spmm},           {"kmeans", bench_kmeans},
      {"adam", bench_adam},       {"parse", bench_parse},         {"step", bench_step},
      {"network", bench_network}, {"recommend", bench_recommend}, {"store", bench_store}};
  const std::pair<const char*, void (*)(Bench&)> areas_of_ranks[] = {{"ranks", bench_ranks},
                                                                     {"network", bench_network_ranks}};
  const auto world = cohort::Communicator::world();
  if (!world.is_root()) std::freopen("/dev/null", "w", stdout);
  try {
    std::printf("vector target %s, medians of %d interleaved repetitions\n", cohort::vector_target().c_str(),
                options.repetitions);
    Bench bench(options);
    const auto run = [&](const auto& of) {
      for (const auto& [name, area] : of) {
        if (std::string(name).find(options.only) != std::string::npos) area(bench);
      }
    };
    world.size() > 1 ? run(areas_of_ranks) : run(areas);
    if (!json.empty() && world.is_root()) std::ofstream(json) << bench.json() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "cohort_bench: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
