#include "recommend/user_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fixed_point.hpp"

namespace cohort {

UserMeans::UserMeans(const Communicator& comm, std::span<const std::int64_t> users)
    : comm_(comm), users_(users), count_(comm.sum(std::ssize(users))) {}

template <class ValueOf>
double UserMeans::mean_of(ValueOf value_of) const {
  const auto fixed = FixedPoint::for_count(count_);
  std::int64_t sum = 0;
  for (const auto user : users_) sum += fixed.fixed(value_of(static_cast<std::size_t>(user)));
  return fixed.real(comm_.sum(sum)) / static_cast<double>(count_);
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
