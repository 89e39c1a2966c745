// The result of a run for a person: the segments found, and what the process needed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// Mean distance of each segment's users to its centroid, 0 for an empty one. segment, distance: of this rank's users;
/// size: of each segment, over all ranks. The bits do not depend on the ranks. Collective.
std::vector<double> mean_distances(const Communicator& comm, std::span<const std::int32_t> segment,
                                   std::span<const float> distance, std::span<const std::int64_t> size);

/// A table of the segments on standard output: users, share, mean distance to the centroid; nothing with --quiet.
/// Collective.
void say_segments(const Communicator& comm, const SegmentsFile& result);

/// Logs the highest memory that any rank had. Collective.
void log_memory(const Communicator& comm);

/// "3, 17 and 21", at most twelve of them. Local.
std::string list_of_numbers(std::span<const std::int64_t> numbers);

}  // namespace cohort
