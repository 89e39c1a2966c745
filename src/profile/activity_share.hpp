// How far segments are no more than levels of activity.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"

namespace cohort {

/// The share of the variance of log(1 + interactions) over all users that lies between segments (the correlation ratio
/// eta^2 of a one-way analysis of variance); 0 where all users are equally active. row_begin: where each user of this
/// rank's block begins among its interactions, one more than users; segment: of the same users, below `segments`. Added
/// in fixed point: the bits depend on neither ranks nor threads. Collective.
double activity_share(const Communicator& comm, std::span<const std::int64_t> row_begin,
                      std::span<const std::int32_t> segment, std::int64_t segments);

}  // namespace cohort
