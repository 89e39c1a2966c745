// The assignment step of k-means, a whole iteration and the scores of all-ranking against the matrix product alone; the
// iteration also against scikit-learn's.
#include <algorithm>
#include <memory>
#include <numeric>

#include "bench_areas.hpp"
#include "bench_peer.hpp"
#include "cluster/lloyd.hpp"
#include "core/matrix.hpp"
#include "core/random.hpp"
#include "kernels/scores.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t columns = 64;
constexpr std::int64_t block = 4096;  // rows a task

Matrix normal_rows(std::int64_t rows, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  const CounterRandom random(seed, Purpose::quality_sample);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; column += 2) {
      const auto pair = random.normal(static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(column));
      matrix.row(row)[column] = static_cast<float>(pair[0]);
      matrix.row(row)[column + 1] = static_cast<float>(pair[1]);
    }
  }
  return matrix;
}

/// The points in shards of `block` rows, on this process alone.
struct ShardedPoints {
  explicit ShardedPoints(const Matrix& rows) : comm(Communicator::self()) {
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
      if (row % block == 0) shard_begin.push_back(row);
      id.emplace_back(row);
    }
    shard_begin.push_back(rows.rows());
    layout.shards_of_rank = Distribution({0, std::ssize(shard_begin) - 1});
    population = checked_points(comm, {rows.view(), id, shard_begin, &layout});
  }
  ShardedPoints(const ShardedPoints&) = delete;
  ShardedPoints& operator=(const ShardedPoints&) = delete;

  Communicator comm;
  std::vector<NodeId> id;
  std::vector<std::int64_t> shard_begin;
  ShardLayout layout;
  CheckedPoints population;
};

}  // namespace

void bench_kmeans(Bench& bench) {
  const std::int64_t count = bench.options().small ? 10'000 : 1'000'000;
  const Matrix points = normal_rows(count, 1);
  const ShardedPoints sharded(points);
  const std::int64_t blocks = (count + block - 1) / block;
  for (const std::int64_t k : {std::int64_t{100}, std::int64_t{1000}}) {
    const Matrix centres = normal_rows(k, 2);
    const std::vector<float> offset(k, 1.0F);
    std::vector<std::int32_t> nearest(count);
    for (const int threads : bench.options().threads) {
      const double work = 2e-9 * static_cast<double>(count * columns * k);
      std::vector<Matrix> scores;
      scores.reserve(threads);
      for (int t = 0; t < threads; ++t) scores.emplace_back(block / 16, k);
      const Case assign{"assignment",
                        work,
                        "FLOP",
                        [&] {
                          return seconds_of([&] {
                            const PackedRows packed(centres.view());
#pragma omp parallel for num_threads(threads) schedule(dynamic)
                            for (std::int64_t task = 0; task < blocks; ++task) {
                              const std::int64_t first = task * block;
                              const std::int64_t here = std::min(block, count - first);
                              nearest_rows(points.view().slice(first, here), packed, offset,
                                           std::span(nearest).subspan(first, here));
                            }
                          });
                        },
                        {"GEMM", "FMA peak"}};
      const Case products{"inner products",
                          work,
                          "FLOP",
                          [&] {
                            return seconds_of([&] {
                              const PackedRows packed(centres.view());
                              constexpr std::int64_t rows = block / 16;
#pragma omp parallel for num_threads(threads) schedule(static)
                              for (int t = 0; t < threads; ++t) {
                                for (std::int64_t first = count * t / threads; first < count * (t + 1) / threads;
                                     first += rows) {
                                  const std::int64_t here = std::min(rows, count * (t + 1) / threads - first);
                                  inner_products(points.view().slice(first, here), packed, scores[t].view());
                                }
                              }
                            });
                          },
                          {"GEMM", "FMA peak"}};
      omp_set_num_threads(threads);
      LloydPass pass(sharded.comm, sharded.population, k, false);
      Case iteration{"whole iteration",
                     work,
                     "FLOP",
                     [&] {
                       Matrix moving = normal_rows(k, 2);
                       return seconds_of([&] {
                         pass.assign(moving.view());
                         pass.move(moving.view());
                       });
                     },
                     {"GEMM", "FMA peak"}};
      Case gemm = gemm_case(count, columns, k, threads);
      gemm.against = {"FMA peak"};
      std::vector<Case> cases{assign, iteration, products, gemm, peak_case(threads)};
      std::unique_ptr<PeerProcess> peer;
      if (!bench.options().peer.empty()) {
        peer = std::make_unique<PeerProcess>(
            std::vector<std::string>{bench.options().peer, COHORT_BENCH_KMEANS_PEER_SCRIPT, std::to_string(count),
                                     std::to_string(columns), std::to_string(k), std::to_string(threads)});
        cases.push_back({"scikit-learn, iteration", work, "FLOP", [&] { return peer->run(); }, {}});
        cases[1].against.emplace_back("scikit-learn, iteration");
      }
      bench.measure(
          "k-means " + std::to_string(count) + " x 64, k = " + std::to_string(k) + " (GEMM: " + gemm_library() + ")",
          threads, cases);
    }
  }
}

}  // namespace cohort::bench
