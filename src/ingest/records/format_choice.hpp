// Which format a text file is written in, and what separates its columns: by its name and its first lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

struct FormatChoice {
  TextFormat format = TextFormat::tsv;
  char separator = ',';  ///< of csv
};

/// Where input.format, input.separator or comments say it, that; else what the lines show. Throws InputError: it cannot
/// be told. Local.
FormatChoice choose_format(const FileHead& head, const std::string& name, const LayoutRequest& request);

/// The character of `separators` that the first 100 lines agree on: by which every one of them has as many columns as
/// the others, two or more; '\0': there is none. Of several, the one by which the first line has most names that are
/// known, or else the one without which fields would hold what is no decimal comma. Local.
char agreed_separator(const std::vector<HeadLine>& lines, std::string_view separators);

/// The error of a RecBole file without its header. Local.
InputError lacks_typed_header(const std::string& name, const HeadLine& line, const std::string& what_else);

}  // namespace cohort
