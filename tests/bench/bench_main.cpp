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
                 "Areas whose names contain this: limits, spmm, kmeans, adam, parse, step, recommend, store");
  app.add_flag("--small", options.small, "Small sizes: tries the harness, the figures mean nothing");
  app.add_option(
      "--peer", options.peer,
      "A Python interpreter, run beside: with PyTorch and scikit-learn, for parse with pyarrow, pandas and polars");
  app.add_option("--json", json, "Also write every time into this file");
  CLI11_PARSE(app, argc, argv);
  setenv("BLIS_NUM_THREADS", "1", 1);  // called from our threads, one piece each

  const std::pair<const char*, void (*)(Bench&)> areas[] = {
      {"limits", bench_limits}, {"spmm", bench_spmm}, {"kmeans", bench_kmeans},       {"adam", bench_adam},
      {"parse", bench_parse},   {"step", bench_step}, {"recommend", bench_recommend}, {"store", bench_store}};
  const auto world = cohort::Communicator::world();
  if (!world.is_root()) std::freopen("/dev/null", "w", stdout);
  try {
    std::printf("vector target %s, medians of %d interleaved repetitions\n", cohort::vector_target().c_str(),
                options.repetitions);
    Bench bench(options);
    if (world.size() > 1) bench_ranks(bench);
    for (const auto& [name, area] : areas) {
      if (world.size() == 1 && std::string(name).find(options.only) != std::string::npos) area(bench);
    }
    if (!json.empty() && world.is_root()) std::ofstream(json) << bench.json() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "cohort_bench: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
