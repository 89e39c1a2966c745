// Adam's update and the other row kernels of a step, against the memory.
#include "bench_areas.hpp"
#include "core/matrix.hpp"
#include "kernels/rows.hpp"

namespace cohort::bench {

void bench_adam(Bench& bench) {
  const std::int64_t rows = bench.options().small ? 4096 : 1'000'000;
  Matrix gradient(rows, 64);
  Matrix weight(rows, 64);
  Matrix first(rows, 64);
  Matrix second(rows, 64);
  const AdamStep step = adam_step(0.001, 10);
  for (const int threads : bench.options().threads) {
    // Read: gradient, weight, two moments. Written: all but the gradient.
    const Case adam{"Adam",
                    7e-9 * static_cast<double>(gradient.bytes()),
                    "B",
                    [&] {
                      return seconds_of([&] {
#pragma omp parallel for num_threads(threads) schedule(static)
                        for (int t = 0; t < threads; ++t) {
                          const std::int64_t from = rows * t / threads;
                          adam_update(step, gradient.row(from), weight.row(from), first.row(from), second.row(from),
                                      (rows * (t + 1) / threads - from) * gradient.stride());
                        }
                      });
                    },
                    {"triad", "read"}};
    bench.measure("optimiser, " + std::to_string(rows) + " x 64", threads,
                  {adam, triad_case(gradient.bytes(), threads), read_case(gradient.bytes(), threads)});
  }
}

}  // namespace cohort::bench
