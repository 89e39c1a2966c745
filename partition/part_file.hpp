// METIS .part files, as gpmetis and other partitioners write them: one part number a line, line i for node i (here
// NodeIds: users in the order of /users/id, then items in the order of /items/id).
//
// Such a file comes from one node's memory, and rank 0 reads or writes it whole (4 bytes a node).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

struct PartFile {
  std::vector<std::int32_t> part_of;  ///< of this rank's block of nodes
  std::int32_t parts = 0;             ///< `parts` if that was given, else the largest number + 1
};

/// blocks: of nodes. parts: part numbers must be below; 0: any. Throws InputError (with the line): unreadable, not one
/// line a node, not a number, out of range. Collective.
PartFile read_part_file(const Communicator& comm, const std::string& path, const Distribution& blocks,
                        std::int64_t parts);

/// Writes under a temporary name and renames. part_of: of this rank's block. Throws RunError. Collective.
void write_part_file(const Communicator& comm, const std::string& path, std::span<const std::int32_t> part_of);

}  // namespace cohort
