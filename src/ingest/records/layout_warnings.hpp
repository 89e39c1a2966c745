// What in a file's first lines tells that its columns may have been misread.
#pragma once

#include <string>
#include <vector>

#include "ingest/records/column_choice.hpp"

namespace cohort {

/// Adds to `warnings`, with what to set: a user or an item that looks like times, real numbers or the numbers of the
/// lines, a weight that looks like ids or times, a time that is none, fields that hold another separator. Local.
void warn_of_shapes(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                    std::vector<std::string>& warnings);

}  // namespace cohort
