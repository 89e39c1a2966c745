// Files of features: what a network reads of users or items beside the graph. Arrays (features/array_file.hpp), whose
// rows stand in the order of the dictionary or belong to the ids of a file, and tables with ids as those of attributes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// What a file brought. The same on all ranks.
struct FeatureStats {
  std::string path;
  std::string of;  ///< "user" or "item"
  std::int64_t columns = 0;
  std::int64_t values = 0;   ///< that are not zero
  std::int64_t matched = 0;  ///< rows of ids that the dictionary holds
  std::int64_t unknown = 0;  ///< and the others, which are passed over
  std::string first_unknown;
};

/// The file of such a path: without the ":DATASET" of an HDF5 file. Local.
std::string feature_file_of(const std::string& path);

/// One file as the configuration names it.
struct FeatureSource {
  std::string of;  ///< "user" or "item", whose table it is, in messages
  std::string path;
  std::string id_file;   ///< whose the rows of an array are, one id a line; empty: row r is that of the r-th id
  std::string encoding;  ///< of a table and of the id file, as input.encoding
};

/// The ids that a file has rows of, in any order, each on one rank; repeats are not refused. known: ids of the same
/// kind, none of which names a table's first column. Throws InputError: as below, and an array without a file of ids.
/// Collective.
IdTable read_feature_ids(const Communicator& comm, const IdTable& known, const FeatureSource& source);

/// Reads one file. An id that the table does not hold is passed over. Throws InputError, the same on all ranks:
/// unreadable, damaged, no numbers, not finite, other numbers of rows than of ids, an id twice, no id in common. Every
/// rank reads its part and hands rows to their owners. Collective.
FeatureTable read_feature_file(const Communicator& comm, const IdTable& ids, const FeatureSource& source,
                               FeatureStats& stats);

}  // namespace cohort
