// The distributed dictionary: from the ids that each rank came across to one numbering of all of them, by length and
// then by bytes, whatever rank or line they came from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

struct Dictionary {
  IdTable table;                     ///< this rank's part, in order; parts are about even
  std::vector<std::int64_t> number;  ///< of every id of local_ids
};

/// Sample sort over the ranks (Shi and Schaeffer, "Parallel sorting by regular sampling", JPDC 1992), then duplicates
/// are dropped and numbers sent back. `local_ids`: this rank's ids, different from each other, in any order; its
/// distribution is not looked at. Collective.
Dictionary build_dictionary(const Communicator& comm, const IdTable& local_ids);

/// The numbers in `table` of `ids` (any order, repeats allowed, not distributed), -1 where it does not hold one.
/// Collective.
std::vector<std::int64_t> find_ids(const Communicator& comm, const IdTable& table, const IdTable& ids);

/// All ids of a table, in order, on every rank. Collective.
std::vector<std::string> all_ids(const Communicator& comm, const IdTable& table);

/// The ids of `table` whose `keep` (of this rank's part) is not 0, in even blocks. Collective.
IdTable keep_ids(const Communicator& comm, const IdTable& table, std::span<const char> keep);

}  // namespace cohort
