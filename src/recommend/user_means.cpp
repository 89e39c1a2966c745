#include "recommend/user_means.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace cohort {

UserMeans::UserMeans(const Communicator& comm, std::span<const std::int64_t> users)
    : comm_(comm), users_(users), count_(comm.sum(std::ssize(users))) {}

template <class ValueOf>
double UserMeans::mean_of(ValueOf value_of) const {
  // All together stay below 2^62.
  const int bits = 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count_)));
  std::int64_t sum = 0;
  for (const auto user : users_) sum += std::llround(std::ldexp(value_of(static_cast<std::size_t>(user)), bits));
  return std::ldexp(static_cast<double>(comm_.sum(sum)), -bits) / static_cast<double>(count_);
}

double UserMeans::mean(std::span<const double> value) const {
  return mean_of([&](std::size_t user) { return value[user]; });
}

MeanGain UserMeans::gain(std::span<const double> with, std::span<const double> without) const {
  const auto mean = mean_of([&](std::size_t user) { return with[user] - without[user]; });
  const auto squares = mean_of([&](std::size_t user) { return std::pow(with[user] - without[user], 2); });
  const auto others = static_cast<double>(count_ - 1);
  return {mean, count_ > 1 ? std::sqrt(std::max(0.0, squares - mean * mean) / others)
                           : std::numeric_limits<double>::infinity()};
}

}  // namespace cohort
