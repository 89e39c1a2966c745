// Whether the first line of a file names its columns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ingest/records/file_layout.hpp"

namespace cohort {

/// The fields of a file's first lines.
using Rows = std::vector<std::vector<std::string>>;

/// The fields of one column, without blanks around them and without those that are missing. Local.
std::vector<std::string> fields_of(std::span<const std::vector<std::string>> rows, std::int32_t column);

/// At least two columns, and as many in every one of `rows`, which are at least one. Local.
bool same_width(const Rows& rows);

/// Some column stands in double quotes in every line below the first: rows by tabs, quotes and all. Local.
bool has_quoted_column(const Rows& rows);

/// `rows`: at least one; the first may be a header. By these rules, the first that applies:
///   1. a name that `columns` asks for stands in it;
///   2. two names that are known, or one that is known beyond doubt and no number beside it, none of which occurs again
///      in its column;
///   3. it holds no number, nothing empty or twice, no field that occurs again in its column, none that is written like
///      the others of its column (u1 above u2), and above numbers or times in some column stands none;
///   4. the same with words above fields that all hold a digit;
///   5. the numbers 0, 1, 2, ... as pandas writes them where columns have no names, above words;
///   6. nothing above 0, 1, 2, ...: the index of pandas.
/// Local.
bool is_header(const Rows& rows, FileRole role, const ColumnChoice& columns);

/// Whether the first line has a number above numbers: `input.header = true` is then likely wrong. Local.
bool looks_like_data(const Rows& rows);

/// The line of types that ClickHouse's TSVWithNamesAndTypes has below the names: UInt64, Nullable(String), ... Local.
bool are_types(const std::vector<std::string>& fields);

}  // namespace cohort
