// How much sums over users would vary had other users been drawn from the same population: the Poisson bootstrap, whose
// resamples need no list of users and so no rank that knows all of them (Efron, "Bootstrap methods", 1979; Chamandy et
// al., "Estimating uncertainty for massive data streams", 2012).
//
// In resample r a user counts Poisson(1) times, a number that is a function of (seed, Purpose::bootstrap, user, r). All
// values of a user are weighed alike in a resample, so differences between strategies are paired.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

struct BootstrapInput {
  std::span<const std::int64_t> user;   ///< of each row, global: what its random numbers are keyed by
  std::span<const std::int32_t> group;  ///< of each row, below `groups`
  std::span<const double> value;        ///< rows x width, each in [0, 1]
  std::int64_t width = 0;               ///< the same on all ranks, as all below
  std::int32_t groups = 0;
  std::int64_t resamples = 1000;
  std::uint64_t seed = 0;
};

/// Sums of one group in all resamples: whole numbers of value_unit().
class ResampledSums {
 public:
  ResampledSums() = default;
  ResampledSums(std::int64_t width, std::int64_t resamples)
      : resamples_(resamples), sum_(static_cast<std::size_t>((width + 1) * (resamples + 1)), 0) {}

  /// Of column c < width; resample 0 is the sample itself, every user counting once.
  std::span<const std::int64_t> column(std::int64_t c) const { return slot(c + 1); }
  /// How many users each resample has.
  std::span<const std::int64_t> users() const { return slot(0); }
  void add(const ResampledSums& other);

 private:
  friend class GroupSums;
  std::span<const std::int64_t> slot(std::int64_t s) const {
    return std::span(sum_).subspan(s * (resamples_ + 1), resamples_ + 1);
  }

  std::int64_t resamples_ = 0;
  std::vector<std::int64_t> sum_;  // (width + 1) x (resamples + 1)
};

/// What a value of 1 is in the sums. Every value is rounded to it, which makes them exact in any order.
double value_unit();

/// Calls take(group, sums) for 0..groups-1 in this order, on all ranks with the same numbers. Holds the sums of some
/// 64 MB of groups at a time. Collective; take must not communicate or throw on one rank alone.
void bootstrap(const Communicator& comm, const BootstrapInput& input,
               const std::function<void(std::int32_t group, const ResampledSums& sums)>& take);

struct Interval {
  double low = 0;
  double high = 0;
};

/// The 2.5th and 97.5th percentile of what a mean came to in the resamples; `values`: of resamples 1, 2, ... Local.
Interval percentile_interval(std::vector<double> values);

}  // namespace cohort
