#include "profile/hypergeometric.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace cohort {

namespace {

double log_choose(std::int64_t n, std::int64_t k) {
  const auto log_factorial = [](std::int64_t number) { return std::lgamma(static_cast<double>(number) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

}  // namespace

double hypergeometric_tail(std::int64_t hits, std::int64_t population, std::int64_t marked, std::int64_t draws) {
  COHORT_CHECK(marked >= 0 && draws >= 0 && marked <= population && draws <= population);
  const auto lowest = std::max<std::int64_t>(0, draws + marked - population);
  const auto highest = std::min(draws, marked);
  if (hits <= lowest) return 1;
  if (hits > highest) return 0;
  const auto N = static_cast<double>(population);
  const auto K = static_cast<double>(marked);
  const auto n = static_cast<double>(draws);
  // From the side that does not hold the mode, whose terms fall from the first on: by the ratio of neighbouring terms.
  const bool upper = static_cast<double>(hits) > (n + 1) * (K + 1) / (N + 2);
  const auto first = upper ? hits : hits - 1;
  double term = std::exp(log_choose(marked, first) + log_choose(population - marked, draws - first) -
                         log_choose(population, draws));
  double sum = 0;
  for (auto x = first; x >= lowest && x <= highest && term > sum * 1e-18; x += upper ? 1 : -1) {
    sum += term;
    const auto at = static_cast<double>(x);
    term *= upper ? (K - at) * (n - at) / ((at + 1) * (N - K - n + at + 1))
                  : at * (N - K - n + at) / ((K - at + 1) * (n - at + 1));
  }
  return std::clamp(upper ? sum : 1 - sum, 0.0, 1.0);
}

std::vector<std::int32_t> benjamini_hochberg(std::span<const double> p_values, double rate) {
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::ranges::sort(sorted);
  // Everything up to the last p-value that is below its line is rejected, with its equals.
  double limit = -1;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] <= rate * static_cast<double>(i + 1) / static_cast<double>(sorted.size())) limit = sorted[i];
  }
  std::vector<std::int32_t> rejected;
  rejected.reserve(p_values.size());
  for (const auto p : p_values) rejected.push_back(p <= limit ? 1 : 0);
  return rejected;
}

}  // namespace cohort
