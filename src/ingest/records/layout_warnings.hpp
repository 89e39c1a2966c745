// What in a file's first lines tells that its columns may have been misread.
#pragma once

#include <string>
#include <vector>

#include "ingest/records/column_choice.hpp"

namespace cohort {

/// Whether the columns of interactions are told by their order alone, the lines of each item stand together, and those
/// of no user do: items may be what is read as users. Local.
bool is_grouped_by_second(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request);

/// Adds to `warnings`, with what to set: a user or an item that looks like times, real numbers or the numbers of the
/// lines, a weight that looks like ids, times or thousands, a time that is none, fields that hold another separator,
/// quotes or lists, a name that stands twice, columns beyond those that are told by order, yes and no that nothing
/// reads. Local.
void warn_of_shapes(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                    std::vector<std::string>& warnings);

/// Adjacency lists of which a user has several: lines may be baskets instead. Local.
void warn_of_lists(const Rows& rows, std::vector<std::string>& warnings);

}  // namespace cohort
