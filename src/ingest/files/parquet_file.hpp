// Parquet files: their columns, for records; as csv for what reads tables of text: a line for every row, a column for
// every value that is no struct.
#pragma once

#include <functional>
#include <string>

#include "ingest/files/column_block.hpp"
#include "ingest/files/input_files.hpp"

namespace cohort {

struct ParquetHead {
  std::string text;   ///< the names of the columns and the first rows, as csv with a header
  std::string index;  ///< the column, if it is one, that pandas keeps a table's index in, behind the others
};

/// Throws InputError: the file is damaged, or this build reads no Parquet. Local.
ParquetHead parquet_head(const std::string& path);

/// Calls parse(block) for the rows of every P-th row group from the rank-th on; the number of a line is that of its
/// row, from 1. All columns are read. Throws InputError. Local.
void read_parquet(const OpenedFile& file, int rank, int ranks, const std::function<void(const LineBlock&)>& parse);

/// The same of the columns that the layout names, as they are stored; no other is read.
void read_parquet_columns(const OpenedFile& file, int rank, int ranks,
                          const std::function<void(const ColumnBlock&)>& parse);

}  // namespace cohort
