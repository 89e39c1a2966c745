#include "recommend/score_scale.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace cohort {

namespace {

// Rows whose products a thread adds up before it adds them to everybody's.
constexpr std::int64_t block_rows = 4096;

}  // namespace

ScoreScale::ScoreScale(const Communicator& comm, ConstMatrixView items)
    : columns_(comm.max(items.rows > 0 ? items.columns : 0)) {
  const auto d = static_cast<std::size_t>(columns_);
  double largest = 0;
  bool finite = true;
  for (std::int64_t i = 0; i < items.rows; ++i) {
    for (const auto value : items.at(i)) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
      finite = finite && std::isfinite(value);
    }
  }
  comm.attempt([&] {
    if (!finite) throw RunError("the embedding of an item is no finite number; train again");
  });
  largest = comm.max(largest);
  const auto count = comm.sum(items.rows);
  COHORT_CHECK(count > 0);
  // |rounded| <= 2^bits, so a product is at most 2^(2 bits), and `count` of them fit.
  const int bits = (62 - std::bit_width(static_cast<std::uint64_t>(count))) / 2;
  const int shift = largest > 0 ? bits - std::ilogb(largest) - 1 : 0;

  const double unit = std::ldexp(1.0, shift);
  std::vector<std::int64_t> sum;      // d
  std::vector<std::int64_t> product;  // d x d
  comm.attempt([&] {
    sum.assign(d, 0);
    product.assign(d * d, 0);
    for_each_in_parallel((items.rows + block_rows - 1) / block_rows, [&](std::int64_t block) {
      std::vector<std::int32_t> rounded(d);
      std::vector<std::int64_t> my_sum(d, 0);
      std::vector<std::int64_t> my_product(d * d, 0);
      for (auto i = block * block_rows; i < std::min(items.rows, (block + 1) * block_rows); ++i) {
        for (std::size_t a = 0; a < d; ++a) {
          rounded[a] = static_cast<std::int32_t>(std::lrint(static_cast<double>(items.row(i)[a]) * unit));
        }
        for (std::size_t a = 0; a < d; ++a) {
          const std::int64_t factor = rounded[a];
          my_sum[a] += factor;
          for (std::size_t b = 0; b <= a; ++b) my_product[a * d + b] += factor * rounded[b];
        }
      }
#pragma omp critical(cohort_score_scale)
      {
        for (std::size_t a = 0; a < sum.size(); ++a) sum[a] += my_sum[a];
        for (std::size_t a = 0; a < product.size(); ++a) product[a] += my_product[a];
      }
    });
  });
  comm.sum_in_place(std::span<std::int64_t>(sum));
  comm.sum_in_place(std::span<std::int64_t>(product));
  mean_.resize(d);
  covariance_.resize(d * d);
  const auto items_in_all = static_cast<double>(count);
  for (std::size_t a = 0; a < d; ++a) {
    mean_[a] = std::ldexp(static_cast<double>(sum[a]), -shift) / items_in_all;
  }
  for (std::size_t a = 0; a < d; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      const auto covariance =
          std::ldexp(static_cast<double>(product[a * d + b]), -2 * shift) / items_in_all - mean_[a] * mean_[b];
      covariance_[a * d + b] = covariance;
      covariance_[b * d + a] = covariance;
    }
  }
}

ScoreSpread ScoreScale::of(std::span<const float> user) const {
  const auto d = user.size();
  COHORT_CHECK(std::ssize(user) == columns_);
  ScoreSpread spread;
  std::vector<double> image(d, 0.0);  // C e_u
  for (std::size_t a = 0; a < d; ++a) {
    const auto factor = static_cast<double>(user[a]);
    const double* const row = covariance_.data() + a * d;
    for (std::size_t b = 0; b < d; ++b) image[b] += factor * row[b];
  }
  double variance = 0;
  for (std::size_t a = 0; a < d; ++a) {
    spread.mean += static_cast<double>(user[a]) * mean_[a];
    variance += static_cast<double>(user[a]) * image[a];
  }
  spread.deviation = std::sqrt(std::max(0.0, variance));
  return spread;
}

}  // namespace cohort
