// In which unit a file's times are, told from its first lines.
#pragma once

#include <string>
#include <vector>

#include "ingest/records/column_choice.hpp"

namespace cohort {

/// Fills what `layout`, whose time is chosen, says of times: what those that are numbers are divided by to be seconds,
/// and whether they are dates of digits alone or days of a spreadsheet; of dates such as 11/1/2000 what comes first.
/// Adds to `warnings`: numbers that would be of a year in which there were no logs, where request.columns names no
/// columns. Local.
void choose_time_unit(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                      std::vector<std::string>& warnings);

}  // namespace cohort
