// Zip archives as NumPy and SciPy write them (.npz): members stored or deflated, also above 4 GiB (zip64).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingest/files/byte_source.hpp"

namespace cohort {

struct ZipMember {
  std::string name;
  std::int64_t header = 0;  ///< offset of its local header
  std::int64_t stored = 0;  ///< bytes in the archive
  std::int64_t size = 0;    ///< bytes of what it holds
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The members of an archive. Throws InputError: unreadable, no archive, damaged, encrypted, compressed otherwise.
/// Local.
std::vector<ZipMember> zip_members(const std::string& path);

/// What a member holds, from its start. Reading its last byte checks size and CRC; throws InputError where they are
/// wrong or the data is damaged. Throws InputError. Local.
std::unique_ptr<ByteSource> open_zip_member(const std::string& path, const ZipMember& member);

}  // namespace cohort
