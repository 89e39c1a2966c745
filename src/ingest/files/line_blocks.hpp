// The records of input files, spread over all ranks: every rank reads those that start in its own byte range of a plain
// file; a gzip file is inflated by one rank and dealt out. For the readers of pairs and of attribute tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/column_block.hpp"
#include "ingest/files/input_files.hpp"

namespace cohort {

/// Calls parse(f, block) on some rank for every block of records of every file f; for one file, blocks come to a
/// rank in the file's order. Which rank gets which record depends on the number of ranks. parse must not communicate.
/// parse_columns: is called for files that store columns, for which parse is otherwise called with lines of csv.
/// Throws InputError where a file cannot be read, and what parse throws. Collective.
void read_blocks(const Communicator& comm, const std::vector<OpenedFile>& files,
                 const std::function<void(std::size_t, const LineBlock&)>& parse,
                 const std::function<void(std::size_t, const ColumnBlock&)>& parse_columns = {});

/// The number in the file, from 1, of a line that blocks have at `offset` with number `line` (0: not counted). Throws
/// InputError. Local.
std::int64_t line_number(const OpenedFile& opened, std::int64_t offset, std::int64_t line);

}  // namespace cohort
