// What input.columns says of a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/records/column_names.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

/// The column that it names for a role; null: none. Local.
const std::string* chosen(const ColumnChoice& columns, std::string_view role);

/// Whether it speaks of files of this role: of a social file where it names source or target, of interactions where it
/// names anything else but a weight beside them. What is held out says nothing of the other columns. Local.
bool applies(const ColumnChoice& columns, FileRole role);

/// Whether one of the fields is a name that `columns` asks for in a file of this role. Local.
bool holds_chosen_name(const std::vector<std::string>& fields, FileRole role, const ColumnChoice& columns);

/// What the two ids of a file's records are called in input.columns, and what the names of their columns mean.
struct Roles {
  std::string_view first, second;
  Meaning first_meaning, second_meaning;
};

/// Local.
Roles roles_of(FileRole role);

}  // namespace cohort
