// The result of a run for a person: the segments found, and what the process needed.
#pragma once

#include "comm/communicator.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// A table of the segments on standard output: users, share, mean distance to the centroid; nothing with --quiet.
/// Collective.
void say_segments(const Communicator& comm, const SegmentsFile& result);

/// Logs the highest memory that any rank had. Collective.
void log_memory(const Communicator& comm);

}  // namespace cohort
