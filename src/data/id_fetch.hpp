// The original ids of numbers whose owners are other ranks: for whoever writes results as text.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// The ids of `wanted` (this rank's, ascending, no repeats, within the table), in their order; not distributed.
/// Collective.
IdTable fetch_ids(const Communicator& comm, const IdTable& table, std::span<const std::int64_t> wanted);

}  // namespace cohort
