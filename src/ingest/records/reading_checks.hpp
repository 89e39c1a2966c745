// What the data as a whole tells of how it was read: seen by all ranks together, so the same at any number of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "data/huge_vector.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/record_parser.hpp"

namespace cohort {

/// Warns of files whose first line was taken as a record although it looks like a header: both its ids are words, and
/// neither occurs in a record without the other. `files` were read into this rank's `pairs` with the two interners.
/// Collective.
std::vector<std::string> warn_of_headers(const Communicator& comm, const std::vector<OpenedFile>& files,
                                         const LayoutRequest& request, const LocalPairs& pairs, const IdInterner& first,
                                         const IdInterner& second);

/// Warns where every user, or every item, of `records` records occurs once. Local.
std::vector<std::string> warn_of_singles(std::int64_t records, std::int64_t users, std::int64_t items);

/// One column of this rank's records, and the dictionary that its local numbers refer to.
struct IdColumn {
  const Distribution& distribution;
  const std::vector<std::int64_t>& number;  ///< by local number, in the dictionary
  const HugeVector<std::uint32_t>& local;   ///< by record, a local number
};

/// Warns that users and items may be the other way round, where lines of one item stand together (they mostly do of one
/// user) and the ids read as users occur more unevenly than those read as items: by the coefficients of variation, as
/// popularity varies more than activity does. Collective.
std::vector<std::string> warn_of_swapped_columns(const Communicator& comm, const IdColumn& users,
                                                 const IdColumn& items);

/// Says where files stand in folders as Hive names them, event=view and event=buy, by a column that is not in the
/// files. Local.
std::vector<std::string> warn_of_folders(const std::vector<OpenedFile>& files);

}  // namespace cohort
