// Counter-based random numbers: the number is a function of (seed, purpose, counters), never of what was drawn
// before, so any rank can compute any of them and the number of ranks changes nothing.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

namespace cohort {

/// What a stream of numbers is for; two purposes never share numbers. Values are part of the reproducibility
/// contract: append, never renumber.
enum class Purpose : std::uint32_t {
  embedding_init = 1,
  interaction_order = 2,
  sampled_user = 3,
  sampled_positive = 4,
  sampled_negative = 5,
  kmeans_seeding = 6,
  kmeans_plus_plus = 7,
  holdout = 8,
  quality_sample = 9,
  generate_users = 10,
  generate_items = 11,
  generate_interactions = 12,
  generate_social = 13,
  partition_baseline = 14,
  validation_users = 31,
  validation_pairs = 32,
  bootstrap = 33,
  spectral_start = 41,
  softmax_users = 42,
  softmax_pool = 43,
  weight_init = 44,
  dropped_edges = 45,
  dropped_columns = 46,
  contrast_pool = 47,
  count_sample = 48,
  count_reference = 49,
};

class CounterRandom {
 public:
  constexpr CounterRandom(std::uint64_t seed, Purpose purpose)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        purpose_(static_cast<std::uint32_t>(purpose)) {}

  /// Four independent 32-bit words for the counter (a: 64 bits, b: 32 bits).
  std::array<std::uint32_t, 4> words(std::uint64_t a, std::uint32_t b = 0) const;
  /// 64 uniform bits.
  std::uint64_t bits(std::uint64_t a, std::uint32_t b = 0) const;
  /// Uniform in [0, 1), 53 bits.
  double uniform(std::uint64_t a, std::uint32_t b = 0) const;
  /// Uniform in 0..bound-1 (multiply-shift: a bias below bound / 2^64); bound > 0.
  std::uint64_t below(std::uint64_t bound, std::uint64_t a, std::uint32_t b = 0) const;
  /// Two standard normal numbers (Box-Muller).
  std::array<double, 2> normal(std::uint64_t a, std::uint32_t b = 0) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
};

/// A pseudorandom permutation of 0..size-1 that needs no memory and can be evaluated at any point: a balanced Feistel
/// network over the next even number of bits, walked until it lands inside (Black and Rogaway, CT-RSA 2002).
class RandomPermutation {
 public:
  /// One permutation for each (seed, purpose, epoch); size >= 1.
  RandomPermutation(std::uint64_t size, std::uint64_t seed, Purpose purpose, std::uint64_t epoch);
  std::uint64_t operator()(std::uint64_t index) const;
  /// The index that is sent to `value`.
  std::uint64_t inverse(std::uint64_t value) const;

 private:
  std::uint64_t size_;
  int half_bits_;
  std::array<std::uint64_t, 6> round_keys_;
};

}  // namespace cohort
