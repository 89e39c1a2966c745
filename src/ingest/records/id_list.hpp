// A file that names some of the ids of a dictionary: one id a line, gzip or plain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

struct IdList {
  std::vector<char> listed;   ///< of this rank's block of the dictionary: 1 where the file names it
  std::int64_t known = 0;     ///< different ids of the file that the dictionary holds; the same on all ranks
  std::int64_t unknown = 0;   ///< and the others, which are passed over
  std::string first_unknown;  ///< the first of them in the file; empty: none. The same on all ranks
};

/// Empty lines, spaces and tabs around an id, and repeats do not count. `what` ("items") goes into messages. Throws
/// InputError: the file cannot be read, an id above 1,024 bytes (file:line), no id in common with `table`. Collective.
IdList read_id_list(const Communicator& comm, const IdTable& table, const std::string& path, const std::string& what);

}  // namespace cohort
