#include "profile/activity_share.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// Below 2^5 is the logarithm of any count, below 2^10 its square: sums over 2^31 users fit into 63 bits.
constexpr int bits = 26;
constexpr int square_bits = 22;

std::int64_t fixed(double value, int places) {
  return std::llround(std::ldexp(value, places));
}

}  // namespace

double activity_share(const Communicator& comm, std::span<const std::int64_t> row_begin,
                      std::span<const std::int32_t> segment, std::int64_t segments) {
  COHORT_CHECK(row_begin.size() == segment.size() + 1, "interactions and segments are not of the same users");
  const auto activity = [&](std::size_t user) {
    return std::log1p(static_cast<double>(places_of(row_begin, user).size()));
  };
  std::int64_t sum = 0;
  for (std::size_t user = 0; user < segment.size(); ++user) sum += fixed(activity(user), bits);
  const auto users = comm.sum(std::ssize(segment));
  const double mean =
      std::ldexp(static_cast<double>(comm.sum(sum)), -bits) / static_cast<double>(std::max<std::int64_t>(users, 1));

  // Of deviations from the mean, so that nothing cancels.
  std::vector<std::int64_t> sums(2 * segments + 1, 0);  // by segment; users; squares of all
  for (std::size_t user = 0; user < segment.size(); ++user) {
    const double off = activity(user) - mean;
    const auto s = static_cast<std::size_t>(segment[user]);
    sums[s] += fixed(off, bits);
    ++sums[segments + s];
    sums.back() += fixed(off * off, square_bits);
  }
  comm.sum_in_place(std::span<std::int64_t>(sums));
  const double all = std::ldexp(static_cast<double>(sums.back()), -square_bits);
  if (!(all > 0)) return 0;
  double between = 0;
  for (std::size_t s = 0; s < static_cast<std::size_t>(segments); ++s) {
    const auto size = sums[segments + s];
    const double total = std::ldexp(static_cast<double>(sums[s]), -bits);
    if (size > 0) between += total * total / static_cast<double>(size);
  }
  return std::clamp(between / all, 0.0, 1.0);
}

}  // namespace cohort
