// The block before the HDF5 part of a file ("user block"): a line for people, and a checksum of everything that is no
// dataset's data, that is of attributes, names, types and shapes, so that HDF5 is never handed damaged structures, on
// which it may crash. Local, all of it. Internal to store/.
//
// Layout, little-endian: the line, filled up with zeros to 128 bytes; then unsigned numbers of 8 bytes: version of the
// seal, bytes of the file, CRC-32 of the structure, number of extents, and of each extent its offset and bytes; zeros;
// the last 8 bytes: the CRC-32 of the block before them. The structure is what stands outside the block and the
// extents.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/file_bytes.hpp"

namespace cohort::h5 {

constexpr std::int64_t seal_bytes = 8192;

/// Bytes of a file that a dataset's own checksums cover.
struct Extent {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// Writes the seal of a complete file whose first seal_bytes are free. Throws RunError.
void write_seal(const FileBytes& file, std::vector<Extent> extents);

/// What the first bytes of a file tell.
enum class FileStart { sealed, plain_hdf5, other };
FileStart file_start(const FileBytes& file);

/// Throws InputError, naming `path`, where the structure is not what was written. Returns the CRC of the seal, which
/// tells two files apart. structure: becomes, in memory, what was checked at its places, without seal and extents, for
/// HDF5 to read: the file may change, and where a read of its own fails HDF5 may free the same memory twice. Throws
/// RunError where there is no room for it.
std::uint64_t check_seal(const FileBytes& file, const std::string& path, FileBytes& structure);
/// The CRC of the seal as it stands there, unchecked; 0 where the file is shorter than one.
std::uint64_t seal_mark(const FileBytes& file);

}  // namespace cohort::h5
