// True classes of users, for evaluation: files of lines "user label", separated by tab, comma or spaces, with a header
// or without, gzip or plain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

struct Labels {
  std::vector<std::int32_t> label;  ///< of this rank's block of users: an index into names, or -1
  std::vector<std::string> names;   ///< labels as in the file, ordered by length and bytes; the same on all ranks
  std::int64_t labelled = 0;        ///< users with a label, over all ranks
  std::int64_t unknown_users = 0;   ///< users of the file that `users` does not hold, over all ranks
  std::vector<std::string> warnings;
  InputFile file;
};

/// How files of classes are read: nothing can be set. Local.
LayoutRequest labels_layout();

/// Throws InputError: the file cannot be read or understood, a malformed line, a user with two different labels, more
/// than a million labels, no user in common. Collective.
Labels read_labels(const Communicator& comm, const IdTable& users, const std::string& path);

}  // namespace cohort
