#include "profile/selection.hpp"

#include <bit>
#include <limits>

namespace cohort {

namespace {

constexpr int digit_bits = 8;
constexpr std::size_t digits = std::size_t{1} << digit_bits;
constexpr std::uint64_t sign = std::uint64_t{1} << 63;

// Unsigned numbers in the order of the doubles.
std::uint64_t ordered_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

double from_ordered_bits(std::uint64_t bits) {
  return std::bit_cast<double>((bits & sign) != 0 ? bits & ~sign : ~bits);
}

}  // namespace

std::vector<double> select_by_segment(const Communicator& comm, std::span<const double> values,
                                      std::span<const std::int32_t> segment, std::span<const std::int64_t> rank) {
  // Digit by digit from the top: `prefix` is what is known of each segment's value, `left` its place among the values
  // that share the prefix.
  std::vector<std::uint64_t> prefix(rank.size(), 0);
  std::vector<std::int64_t> left(rank.begin(), rank.end());
  std::vector<std::int64_t> histogram;
  for (int shift = 64 - digit_bits; shift >= 0; shift -= digit_bits) {
    histogram.assign(rank.size() * digits, 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (segment[i] < 0) continue;
      const auto s = static_cast<std::size_t>(segment[i]);
      const auto bits = ordered_bits(values[i]);
      const bool shared = shift + digit_bits == 64 || (bits ^ prefix[s]) >> (shift + digit_bits) == 0;
      if (shared) ++histogram[s * digits + ((bits >> shift) & (digits - 1))];
    }
    comm.sum_in_place(std::span<std::int64_t>(histogram));
    for (std::size_t s = 0; s < rank.size(); ++s) {
      if (rank[s] < 0) continue;
      std::uint64_t digit = 0;
      while (digit + 1 < digits && left[s] >= histogram[s * digits + digit]) left[s] -= histogram[s * digits + digit++];
      prefix[s] |= digit << shift;
    }
  }
  std::vector<double> result;
  for (std::size_t s = 0; s < rank.size(); ++s) {
    result.push_back(rank[s] < 0 ? std::numeric_limits<double>::quiet_NaN() : from_ordered_bits(prefix[s]));
  }
  return result;
}

std::vector<std::int64_t> count_by_segment(const Communicator& comm, std::span<const std::int32_t> segment,
                                           std::int64_t segments) {
  std::vector<std::int64_t> count(segments, 0);
  for (const auto s : segment) {
    if (s >= 0) ++count[s];
  }
  comm.sum_in_place(std::span<std::int64_t>(count));
  return count;
}

std::vector<double> median_by_segment(const Communicator& comm, std::span<const double> values,
                                      std::span<const std::int32_t> segment, std::int64_t segments) {
  const auto count = count_by_segment(comm, segment, segments);
  std::vector<std::int64_t> lower;
  std::vector<std::int64_t> upper;
  for (const auto n : count) {
    lower.push_back(n == 0 ? -1 : (n - 1) / 2);
    upper.push_back(n == 0 ? -1 : n / 2);
  }
  auto median = select_by_segment(comm, values, segment, lower);
  const auto other = select_by_segment(comm, values, segment, upper);
  for (std::size_t s = 0; s < median.size(); ++s) median[s] = median[s] + (other[s] - median[s]) / 2;
  return median;
}

}  // namespace cohort
