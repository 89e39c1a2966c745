// The areas that cohort_bench measures, and the limits that they are measured against.
#pragma once

#include "bench_harness.hpp"
#include "comm/communicator.hpp"

namespace cohort::bench {

void bench_limits(Bench& bench);
void bench_spmm(Bench& bench);
void bench_kmeans(Bench& bench);
void bench_adam(Bench& bench);
void bench_parse(Bench& bench);
void bench_step(Bench& bench);
void bench_recommend(Bench& bench);
void bench_store(Bench& bench);

void bench_network(Bench& bench);

/// For a job of several ranks; every rank calls them.
void bench_ranks(Bench& bench);
void bench_network_ranks(Bench& bench);

/// Runs `body` on the first rank while the others wait; its seconds, on every rank.
template <class Body>
double on_first(const Communicator& comm, Body body) {
  double seconds = 0;
  if (comm.is_root()) seconds = body();
  return comm.max(seconds);
}

/// Cases for other areas' groups. They own their data; `bytes`: the size of each array.
Case read_case(std::int64_t bytes, int threads);
Case triad_case(std::int64_t bytes, int threads);
Case peak_case(int threads);
/// (rows x columns) times (columns x others) in blocks of 1,024 rows, the block that was fastest for both
/// libraries; float32.
Case gemm_case(std::int64_t rows, std::int64_t columns, std::int64_t others, int threads);
/// "BLIS" or "Eigen".
std::string gemm_library();

/// Runs chains of fused multiply-adds in registers on this thread, the best vector target; returns how many FLOP.
double run_fused_chains(std::int64_t iterations);

}  // namespace cohort::bench
