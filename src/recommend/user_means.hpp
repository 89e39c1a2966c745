// Means over some of all ranks' users of what each measures, and of how much one choice gains each over another: for
// choosing on held-back interactions. Summed in fixed point, so that the ranks do not matter.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

struct MeanGain {
  double mean = 0;
  double standard_error = 0;  ///< from the users' differences; infinite of one user, of whom nothing can be said
};

class UserMeans {
 public:
  /// users: rows of this rank's. Collective.
  UserMeans(const Communicator& comm, std::span<const std::int64_t> users);

  std::int64_t count() const { return count_; }
  /// value: of each of this rank's users, at most 1 in size. NaN where no rank has users. Collective, as below.
  double mean(std::span<const double> value) const;
  MeanGain gain(std::span<const double> with, std::span<const double> without) const;

 private:
  template <class ValueOf>
  double mean_of(ValueOf value_of) const;

  const Communicator& comm_;
  std::span<const std::int64_t> users_;
  std::int64_t count_;
};

}  // namespace cohort
