// segments.h5: the result.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "result/segments.hpp"

namespace cohort {

/// Throws InputError, RunError. Collective.
void write_segments_file(const Communicator& comm, const std::string& path, const SegmentsFile& result);

/// membership: ids, and of users segment, distance and margin, with the sizes of segments and which
/// of them lie in which; embeddings: also the matrices and what fold-in needs.
enum class SegmentsPart { membership, embeddings, everything };

/// Users and items in even blocks. What `part` does not name is left empty. Throws InputError: missing, no segments
/// file, damaged. Collective.
SegmentsFile read_segments_file(const Communicator& comm, const std::string& path,
                                SegmentsPart part = SegmentsPart::everything);

/// Throws InputError as read_segments_file does. Collective.
UserSegments read_user_segments(const Communicator& comm, const std::string& path);

}  // namespace cohort
