// Opening input files: every rank sees the same file, all agree on how it is written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/stored_file.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

struct OpenedFile {
  std::string path;       ///< this rank's
  Storage storage;        ///< the same on all ranks, as all that follows
  std::int64_t size = 0;  ///< bytes as stored
  bool old_mac = false;   ///< lines end in '\r' alone
  FileLayout layout;
  LayoutNotes notes;
};

/// How the file's blocks are cut.
BlockReader::Options reading_options(const OpenedFile& file);

/// The first lines of a file, unpacked and in UTF-8; of Parquet and of dialects (dialect_choice.hpp) as csv. Throws
/// InputError. Local.
std::string head_of(const std::string& path, const LayoutRequest& request);

/// Checks on every rank that it can read the files and sees the same sizes; rank 0 looks at their first lines and tells
/// the others the layouts. Throws InputError. Collective.
std::vector<OpenedFile> open_files(const Communicator& comm, const std::vector<std::string>& paths,
                                   const LayoutRequest& request);

struct OpenedTable {
  OpenedFile file;
  std::vector<std::string> names;  ///< as in TableHeader; the same on all ranks
  std::vector<std::string> types;
};

/// The same for one table of attributes; encoding: as input.encoding. Throws InputError. Collective.
OpenedTable open_table(const Communicator& comm, const std::string& path, const std::string& encoding);

}  // namespace cohort
