// What the machine can do: memory, arithmetic, matrix product.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "bench_areas.hpp"
#include "core/error.hpp"
#include "core/matrix.hpp"

#ifdef COHORT_BENCH_BLIS
#include <cblas.h>
#else
#include "core/eigen.hpp"
#endif

namespace cohort::bench {
namespace {

/// A piece per thread.
template <class Body>
void on_pieces(std::int64_t count, int threads, Body body) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t) body(t, count * t / threads, count * (t + 1) / threads);
}

std::shared_ptr<Matrix> filled(std::int64_t rows, std::int64_t columns) {
  auto matrix = std::make_shared<Matrix>(rows, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      matrix->row(row)[column] = static_cast<float>((row * 31 + column * 17) % 1000) * 0.001F - 0.5F;
    }
  }
  return matrix;
}

#ifdef COHORT_BENCH_BLIS
void multiply(ConstMatrixView a, ConstMatrixView b, MatrixView out) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(a.rows), static_cast<int>(b.columns),
              static_cast<int>(a.columns), 1.0F, a.data, static_cast<int>(a.stride), b.data, static_cast<int>(b.stride),
              0.0F, out.data, static_cast<int>(out.stride));
}
#else
void multiply(ConstMatrixView a, ConstMatrixView b, MatrixView out) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Map = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;
  const Map left(a.data, a.rows, a.columns, Eigen::OuterStride<>(a.stride));
  const Map right(b.data, b.rows, b.columns, Eigen::OuterStride<>(b.stride));
  Eigen::Map<RowMajor, 0, Eigen::OuterStride<>>(out.data, a.rows, b.columns, Eigen::OuterStride<>(out.stride))
      .noalias() = left * right;
}
#endif

}  // namespace

std::string gemm_library() {
#ifdef COHORT_BENCH_BLIS
  return "BLIS";
#else
  return "Eigen";
#endif
}

Case read_case(std::int64_t bytes, int threads) {
  const auto array = filled(bytes / 256, 64);
  const std::int64_t rounds = std::max<std::int64_t>(1, (std::int64_t{256} << 20) / bytes);
  return {"read",
          static_cast<double>(bytes * rounds) * 1e-9,
          "B",
          [=] {
            return seconds_of([&] {
              on_pieces(array->rows(), threads, [&](int, std::int64_t first, std::int64_t last) {
                for (std::int64_t round = 0; round < rounds; ++round) {
                  std::int32_t all = 0;  // an or of bits: no order to keep, so the compiler vectorises it
                  const auto* const words = reinterpret_cast<const std::int32_t*>(array->row(first));
                  for (std::int64_t i = 0; i < (last - first) * 64; ++i) all |= words[i];
                  COHORT_CHECK(all != 0);
                }
              });
            });
          },
          {}};
}

Case triad_case(std::int64_t bytes, int threads) {
  const auto a = filled(bytes / 256, 64);
  const auto b = filled(bytes / 256, 64);
  const auto out = filled(bytes / 256, 64);
  return {"triad",
          static_cast<double>(3 * bytes) * 1e-9,
          "B",
          [=] {
            return seconds_of([&] {
              on_pieces(a->rows(), threads, [&](int, std::int64_t first, std::int64_t last) {
                const float* const x = a->row(first);
                const float* const y = b->row(first);
                float* const z = out->row(first);
                for (std::int64_t i = 0; i < (last - first) * 64; ++i) z[i] = x[i] + 0.5F * y[i];
              });
            });
          },
          {}};
}

Case peak_case(int threads) {
  constexpr std::int64_t iterations = 400'000;
  return {"FMA peak",
          run_fused_chains(iterations) * threads * 1e-9,
          "FLOP",
          [=] {
            return seconds_of([&] {
              on_pieces(threads, threads,
                        [&](int, std::int64_t, std::int64_t) { COHORT_CHECK(run_fused_chains(iterations) > 0); });
            });
          },
          {}};
}

Case gemm_case(std::int64_t rows, std::int64_t columns, std::int64_t others, int threads) {
  constexpr std::int64_t block = 1024;
  const auto a = filled(rows, columns);
  const auto b = filled(columns, others);
  std::vector<std::shared_ptr<Matrix>> out;
  out.reserve(threads);
  for (int t = 0; t < threads; ++t) out.push_back(std::make_shared<Matrix>(block, others));
  return {"GEMM",
          2e-9 * static_cast<double>(rows * columns * others),
          "FLOP",
          [=] {
            return seconds_of([&] {
              on_pieces(rows, threads, [&](int thread, std::int64_t first, std::int64_t last) {
                for (std::int64_t row = first; row < last; row += block) {
                  multiply(a->view().slice(row, std::min(block, last - row)), b->view(), out[thread]->view());
                }
              });
            });
          },
          {}};
}

void bench_limits(Bench& bench) {
  const std::int64_t bytes = std::int64_t{bench.options().small ? 1 : 256} << 20;
  for (const int threads : bench.options().threads) {
    Case gemm = gemm_case(bench.options().small ? 8192 : 100'000, 64, 1000, threads);
    gemm.name = "GEMM (n x 64)(64 x 1000), " + gemm_library();
    gemm.against = {"FMA peak"};
    bench.measure("limits", threads, {read_case(bytes, threads), triad_case(bytes, threads), peak_case(threads), gemm});
  }
}

}  // namespace cohort::bench
