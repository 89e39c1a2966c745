// What the data as a whole tells of how it was read: seen by all ranks together, so the same at any number of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
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

/// Says where files stand in folders as Hive names them, event=view and event=buy, by a column that is not in the
/// files. Local.
std::vector<std::string> warn_of_folders(const std::vector<OpenedFile>& files);

/// Says how many records have a user or an item called as programs write what is missing: nan,
/// null, None, or as lines of totals begin. Collective.
std::vector<std::string> warn_of_missing_words(const Communicator& comm, FileRole role, const LocalPairs& pairs,
                                               const IdInterner& first, const IdInterner& second);

}  // namespace cohort
