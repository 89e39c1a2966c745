// Whether the ranks see the same files: nodes may have other disks, other mounts or other working directories under one
// and the same path. What they see is looked at by opening it; a stat may be answered from a cache.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"

namespace cohort {

/// The name of this rank's machine. Local.
std::string host_name();

/// " (rank 1, on n2)", for the end of a message about what a rank other than rank 0 met; nothing on rank 0, which all
/// others would only repeat. Local.
std::string on_rank(const Communicator& comm);

/// What tells one file from another at little cost.
struct FileSight {
  std::int64_t size = 0;
  std::uint64_t start = 0;  ///< of the bytes that it starts with
};

/// Throws InputError where the file cannot be read. Local.
FileSight look_at(const std::string& path);

/// Throws InputError where this rank sees another file than rank 0 does. Local.
void need_same(const Communicator& comm, const std::string& path, const FileSight& here, const FileSight& at_root);

/// Whether rank 0 finds anything of that name: also a link to nowhere, or what it may not read, which are for the
/// reader to complain about. All ranks decide alike. Collective.
bool is_there(const Communicator& comm, const std::string& path);

/// Every rank opens the file. Throws InputError where one cannot, or sees another file than rank 0. Collective.
void need_same_file(const Communicator& comm, const std::string& path);

/// Rank 0 makes a file in the directory, every rank opens it. Throws InputError, which names rank, machine and rank 0's
/// absolute path, where one does not find it; `setting` says where the directory comes from. Collective.
void need_same_directory(const Communicator& comm, const std::string& directory, const std::string& setting);

}  // namespace cohort
