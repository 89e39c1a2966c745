// Old interactions weigh less: exponential decay by half-life, of records as they were read.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "ingest/records/record_parser.hpp"

namespace cohort {

/// Multiplies every weight by 2^(-(latest - time) / (half_life * 86,400)), the latest time being that of all records of
/// all ranks, in float64 and then rounded to float32: times are seconds, half_life > 0 is days. Records that keep less
/// than float32's smallest normal number are dropped; returns how many, over all ranks. pairs must have times. Throws
/// InputError where the times cannot be seconds. Collective.
std::int64_t decay_weights(const Communicator& comm, LocalPairs& pairs, double half_life);

}  // namespace cohort
