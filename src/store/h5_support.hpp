// What writing and reading of HDF5 files share. Internal to store/.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"
#include "store/h5.hpp"

namespace cohort::h5 {

/// Bytes moved by one collective transfer of one rank: bounds the packing buffer, and keeps MPI's 32-bit counts far
/// away.
constexpr std::int64_t transfer_bytes = std::int64_t{64} << 20;

/// Keeps HDF5 from printing its own errors. Local.
void silence_errors();
/// What HDF5 says of the last failure, innermost first; "" if nothing. Local.
std::string last_error();

/// File access by all ranks, metadata moved collectively.
Handle parallel_access(const Communicator& comm);
/// Collective raw data transfers.
Handle collective_transfer();

/// Strings of any length: for attributes, which are metadata. Local.
Handle text_type();

/// Transfers that the rank with the most rows needs. Collective.
std::int64_t transfer_rounds(const Communicator& comm, std::int64_t count, std::int64_t rows_per_round);

/// Rows [first, first + count) of a dataset's space, whole rows; nothing if count is 0. Local.
void select_rows(hid_t space, std::int64_t first, std::int64_t count, std::int64_t columns);
/// The memory of `count` rows, packed. Local.
Handle packed_space(std::int64_t count, std::int64_t columns);

}  // namespace cohort::h5
