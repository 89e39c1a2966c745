// The offsets of compressed rows in a file, global there and local here. Internal to store/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/h5.hpp"

namespace cohort {

/// row_begin: this rank's, from 0; entries: of this rank. Collective.
void write_row_begin(const Communicator& comm, h5::Writer& file, const std::string& name,
                     const std::vector<std::int64_t>& row_begin, std::int64_t entries);

struct RowOffsets {
  std::vector<std::int64_t> begin;  ///< of this rank's rows, from 0; rows + 1
  std::int64_t first_entry = 0;     ///< of this rank, in the file
};

/// Throws InputError where they do not ascend from 0 to the rows of `entries_name`. Collective.
RowOffsets read_row_begin(const Communicator& comm, const h5::Reader& file, const std::string& name,
                          const std::string& entries_name, const Distribution& rows);

}  // namespace cohort
