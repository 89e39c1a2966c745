// What `cohort export` takes out of segments.h5, as tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/output/table_rows.hpp"
#include "comm/communicator.hpp"

namespace cohort {

/// Their names: users, embedding, segments, items, profile, recommendations. Local.
const std::vector<std::string>& result_tables();

/// One of them, of the file `result`, into `path` (core/output_file.hpp). Rows and their order are those of the file,
/// the same at any number of ranks. Throws InputError: no such file, or nothing of the kind in it (no items, no
/// profile); RunError where writing fails. Collective.
void write_result_table(const Communicator& comm, const std::string& result, std::string_view table, TableFormat format,
                        const std::string& path);

}  // namespace cohort
