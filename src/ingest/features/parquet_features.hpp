// Features in a Parquet file: a column of ids, and beside it columns of numbers and of lists of them, as embeddings are
// written.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "ingest/features/entries.hpp"

namespace cohort {

struct ParquetFeatures {
  IdTable ids;                     ///< of the part's rows
  ArrayEntries entries;            ///< the numbers beside them, in the order of the file; a list of n has n columns
  bool lists = false;              ///< there is no number but in lists
  std::vector<std::string> names;  ///< of the columns of numbers, where none is a list
};

/// The part's rows. Ids stand in the first column, or in the one that was a table's named index in pandas. Throws
/// InputError: the file is damaged, no numbers, a list of another length than the first, a value that is missing or no
/// finite float32; or this build reads no Parquet. Local.
ParquetFeatures read_parquet_features(const std::string& path, const FilePart& part);

}  // namespace cohort
