// Which columns of a file mean what.
#pragma once

#include <string>
#include <vector>

#include "ingest/records/header_rules.hpp"

namespace cohort {

/// What the choice is made from.
struct ColumnsSeen {
  std::string file;                ///< for messages
  std::vector<std::string> names;  ///< the header's fields, with RecBole's types; empty: there is none
  bool typed = false;              ///< the header is RecBole's
  Rows data;                       ///< the fields of the first lines of data; may be none
};

/// Fills first, second, weight, time and event of `layout` (whose `columns` is set) from request.columns, else from
/// known names, else by order: of the columns that may be users or items where a header has unknown names only
/// (RecBole: of its tokens), of all where there is no header. Adds to `warnings` what was guessed. Throws InputError.
/// Local.
void choose_columns(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                    std::vector<std::string>& warnings);

/// `column 2 ("sku")`, counted from 0. names: may be empty. Local.
std::string column_text(std::int32_t column, const std::vector<std::string>& names);

}  // namespace cohort
