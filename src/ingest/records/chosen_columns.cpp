#include "ingest/records/chosen_columns.hpp"

#include <algorithm>

#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/file_head.hpp"

namespace cohort {

const std::string* chosen(const ColumnChoice& columns, std::string_view role) {
  for (const auto& [name, column] : columns) {
    if (name == role) return &column;
  }
  return nullptr;
}

bool applies(const ColumnChoice& columns, FileRole role) {
  if (role == FileRole::labels) return false;
  const bool social = chosen(columns, "source") || chosen(columns, "target");
  if (role == FileRole::social) return social;
  return chosen(columns, "user") || chosen(columns, "item") || chosen(columns, "time") || chosen(columns, "event") ||
         (chosen(columns, "weight") && !social);
}

bool holds_chosen_name(const std::vector<std::string>& fields, FileRole role, const ColumnChoice& columns) {
  const bool split = role == FileRole::interactions && chosen(columns, "split");
  if (!applies(columns, role) && !split) return false;
  return std::ranges::any_of(columns, [&](const auto& choice) {
    return !is_whole_number(choice.second) && std::ranges::any_of(fields, [&](const std::string& field) {
      return without_type(field) == choice.second || plain_name(field) == plain_name(choice.second);
    });
  });
}

Roles roles_of(FileRole role) {
  if (role == FileRole::social) return {"source", "target", Meaning::source, Meaning::target};
  if (role == FileRole::labels) return {"user", "label", Meaning::user, Meaning::label};
  return {"user", "item", Meaning::user, Meaning::item};
}

}  // namespace cohort
