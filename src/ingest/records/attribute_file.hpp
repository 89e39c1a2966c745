// Attributes of users or items: tables with a header line, one row an id, as RecBole's .user and .item files (typed
// header) or plain text of another format, JSON lines or Parquet. For profiles and reports; never for the graph.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "data/attributes.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// The first column holds the ids. What another one is follows from the values of the ids that `ids` holds:
/// - float columns (RecBole's typed header) are numeric; so are token columns and those of plain headers where every
///   value is a number (an age of type token). A number with zeros in front is a code, which makes the column text.
/// - Other columns are categories: one a row, or several, separated by spaces in a token_seq column and by '|' in a
///   column of a plain header in which any value has one. Columns that have "name" or "title" in their names are never
///   split.
/// - A column whose values nearly all differ (more than half of them, and more than 20) is none of this, unless it is a
///   numeric one that is not of type token. If it is named like a name or title, the first such is the label (there 20
///   do not matter); others (addresses, codes, texts) are left out, as are columns with more than a million categories,
///   with nothing in them, of values above 1,024 bytes, or of type float_seq.
/// Throws InputError: the file cannot be read or understood (file:line), a malformed line, an id of `ids` twice, no id
/// in common with `ids` (says how ids look in both). encoding: as input.encoding. Collective.
AttributeTable read_attributes(const Communicator& comm, const IdTable& ids, const std::string& path,
                               const std::string& encoding = "auto");

}  // namespace cohort
