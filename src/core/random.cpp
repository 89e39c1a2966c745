#include "core/random.hpp"

#include <bit>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace cohort {

std::array<std::uint32_t, 4> CounterRandom::words(std::uint64_t a, std::uint32_t b) const {
  std::array<std::uint32_t, 4> x{static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32), b, purpose_};
  std::uint32_t k0 = key_[0];
  std::uint32_t k1 = key_[1];
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

std::uint64_t CounterRandom::bits(std::uint64_t a, std::uint32_t b) const {
  const auto w = words(a, b);
  return (std::uint64_t{w[1]} << 32) | w[0];
}

double CounterRandom::uniform(std::uint64_t a, std::uint32_t b) const {
  return static_cast<double>(bits(a, b) >> 11) * 0x1p-53;
}

std::uint64_t CounterRandom::below(std::uint64_t bound, std::uint64_t a, std::uint32_t b) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{bits(a, b)} * bound) >> 64);
}

std::array<double, 2> CounterRandom::normal(std::uint64_t a, std::uint32_t b) const {
  const auto w = words(a, b);
  const double u = (static_cast<double>(((std::uint64_t{w[1]} << 32) | w[0]) >> 11) + 1.0) * 0x1p-53;  // (0, 1]
  const double v = static_cast<double>(((std::uint64_t{w[3]} << 32) | w[2]) >> 11) * 0x1p-53;
  const double radius = std::sqrt(-2.0 * std::log(u));
  const double angle = 2.0 * std::numbers::pi * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

namespace {
// The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014) as the Feistel round function.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}
}  // namespace

RandomPermutation::RandomPermutation(std::uint64_t size, std::uint64_t seed, Purpose purpose, std::uint64_t epoch)
    : size_(size) {
  COHORT_CHECK(size >= 1);
  const auto bits = static_cast<int>(std::bit_width(size - 1));
  half_bits_ = bits < 2 ? 1 : (bits + 1) / 2;
  const CounterRandom random(seed, purpose);
  for (std::uint32_t round = 0; round < round_keys_.size(); ++round) round_keys_[round] = random.bits(epoch, round);
}

std::uint64_t RandomPermutation::operator()(std::uint64_t index) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t value = index;
  do {
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & mask;
    for (const std::uint64_t key : round_keys_) {
      const std::uint64_t next = left ^ (mix(right + key) & mask);
      left = right;
      right = next;
    }
    value = (left << half_bits_) | right;
  } while (value >= size_);
  return value;
}

std::uint64_t RandomPermutation::inverse(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t index = value;
  do {
    std::uint64_t left = index >> half_bits_;
    std::uint64_t right = index & mask;
    for (auto key = round_keys_.rbegin(); key != round_keys_.rend(); ++key) {
      const std::uint64_t before = right ^ (mix(left + *key) & mask);
      right = left;
      left = before;
    }
    index = (left << half_bits_) | right;
  } while (index >= size_);
  return index;
}

}  // namespace cohort
