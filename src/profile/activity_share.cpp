#include "profile/activity_share.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/fixed_point.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// Below 2^5 is the logarithm of any count, below 2^10 its square: sums over 2^31 users fit into 63 bits.
const auto of_number = FixedPoint::with_bits(26);
const auto of_square = FixedPoint::with_bits(22);

}  // namespace

double activity_share(const Communicator& comm, std::span<const std::int64_t> row_begin,
                      std::span<const std::int32_t> segment, std::int64_t segments) {
  COHORT_CHECK(row_begin.size() == segment.size() + 1, "interactions and segments are not of the same users");
  const auto activity = [&](std::size_t user) {
    return std::log1p(static_cast<double>(places_of(row_begin, user).size()));
  };
  std::int64_t sum = 0;
  for (std::size_t user = 0; user < segment.size(); ++user) sum += of_number.fixed(activity(user));
  const auto users = comm.sum(std::ssize(segment));
  const double mean = of_number.real(comm.sum(sum)) / static_cast<double>(std::max<std::int64_t>(users, 1));

  // Of deviations from the mean, so that nothing cancels.
  std::vector<std::int64_t> sums(2 * segments + 1, 0);  // by segment; users; squares of all
  for (std::size_t user = 0; user < segment.size(); ++user) {
    const double off = activity(user) - mean;
    const auto s = static_cast<std::size_t>(segment[user]);
    sums[s] += of_number.fixed(off);
    ++sums[segments + s];
    sums.back() += of_square.fixed(off * off);
  }
  comm.sum_in_place(std::span<std::int64_t>(sums));
  const double all = of_square.real(sums.back());
  if (!(all > 0)) return 0;
  double between = 0;
  for (std::size_t s = 0; s < static_cast<std::size_t>(segments); ++s) {
    const auto size = sums[segments + s];
    const double total = of_number.real(sums[s]);
    if (size > 0) between += total * total / static_cast<double>(size);
  }
  return std::clamp(between / all, 0.0, 1.0);
}

}  // namespace cohort
