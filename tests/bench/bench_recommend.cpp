// The best items of every user, by inner product alone and with the segments' taste beside it, against the matrix
// product of the same size: how far ranking hides behind it where rows have no structure, of which bounds can say
// nothing, and what bounds save where users lie near to their items, as after training.
#include <omp.h>

#include <algorithm>

#include "bench_areas.hpp"
#include "comm/communicator.hpp"
#include "core/random.hpp"
#include "recommend/recommendation.hpp"

namespace cohort::bench {
namespace {

constexpr std::int64_t columns = 64;
constexpr std::int32_t segments = 100;
constexpr std::int64_t best = 20;

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

// Row r is centre r modulo their number and half as much of what is its own.
Matrix rows_near(const Matrix& centres, std::int64_t rows, std::uint64_t seed) {
  auto result = normal_rows(rows, seed);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* const centre = centres.row(row % centres.rows());
    for (std::int64_t column = 0; column < columns; ++column) {
      result.row(row)[column] = centre[column] + result.row(row)[column] / 2;
    }
  }
  return result;
}

// Some 20 items of each user, few of them often.
PairTable interactions(std::int64_t users, std::int64_t items) {
  PairTable pairs;
  const CounterRandom random(3, Purpose::quality_sample);
  for (std::int64_t u = 0; u < users; ++u) {
    const auto first = pairs.size();
    for (std::uint32_t n = 0; n < 20; ++n) {
      const auto x = random.uniform(static_cast<std::uint64_t>(u), n);
      pairs.other.push_back(static_cast<std::int64_t>(x * x * x * static_cast<double>(items)));
    }
    std::sort(pairs.other.begin() + first, pairs.other.end());
    pairs.other.erase(std::unique(pairs.other.begin() + first, pairs.other.end()), pairs.other.end());
    pairs.row_begin.push_back(pairs.size());
  }
  pairs.weight.assign(pairs.other.size(), 1.0F);
  return pairs;
}

}  // namespace

void bench_recommend(Bench& bench) {
  const auto comm = Communicator::self();
  const std::int64_t users = bench.options().small ? 500 : 20'000;
  const std::int64_t items = bench.options().small ? 1'000 : 200'000;
  const auto centroids = normal_rows(segments, 4);
  const auto pairs = interactions(users, items);
  std::vector<std::int32_t> segment;
  for (std::int64_t u = 0; u < users; ++u) segment.push_back(static_cast<std::int32_t>(u % segments));
  const auto user_blocks = Distribution::even(users, 1);
  const auto item_blocks = Distribution::even(items, 1);
  const double work = 2e-9 * static_cast<double>(users * items * columns);
  const auto measure = [&](const std::string& rows, const Matrix& user_rows, const Matrix& item_rows) {
    const Population population{&pairs,           segment,      user_rows.view(), item_rows.view(),
                                centroids.view(), &user_blocks, &item_blocks,     false};
    RecommendOptions options;
    options.smoothing = false;
    auto model = fit_recommendations(comm, population, options);
    model.smoothing = 1000;
    model.blend_weight = 0.4;
    for (const int threads : bench.options().threads) {
      const auto of = [&](const char* name, Strategy strategy) {
        return Case{name,
                    work,
                    "FLOP",
                    [&, strategy, threads] {
                      omp_set_num_threads(threads);
                      return seconds_of([&] {
                        recommend_to_users(comm, population, model, strategy, best, nullptr,
                                           [](std::int64_t, std::span<const ScoredItem>) {});
                      });
                    },
                    {"GEMM", "FMA peak"}};
      };
      // Rates are compared: a product of fewer rows with as many items as the libraries are fastest at.
      Case gemm = gemm_case(10 * users, columns, 1000, threads);
      gemm.against = {"FMA peak"};
      bench.measure("recommend " + std::to_string(users) + " users, " + std::to_string(items) +
                        " items x 64, top 20, rows " + rows,
                    threads,
                    {of("personal", Strategy::personal), of("blend", Strategy::blend), gemm, peak_case(threads)});
    }
  };
  measure("without structure", normal_rows(users, 1), normal_rows(items, 2));
  measure("near to those of a segment", rows_near(centroids, users, 1), rows_near(centroids, items, 2));
}

}  // namespace cohort::bench
