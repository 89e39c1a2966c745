// In which unit a file's times are, told from its first lines.
#pragma once

#include <string>
#include <vector>

#include "ingest/records/column_choice.hpp"

namespace cohort {

/// Fills what `layout`, whose time is chosen, says of times: what those that are numbers are divided by to be seconds,
/// and whether they are dates of digits alone or days of a spreadsheet; of dates such as 11/1/2000 what comes first.
/// Local.
void choose_time_unit(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request);

/// Whether the fields of a column of times are dates, or numbers since 1970 of years in which there were logs. Local.
bool are_dates(const FileLayout& layout, const std::vector<std::string>& fields);

/// Adds to `warnings`: large numbers of interactions that would be times of other years, where request.columns does not
/// name the columns. Local.
void warn_of_years(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                   std::vector<std::string>& warnings);

}  // namespace cohort
