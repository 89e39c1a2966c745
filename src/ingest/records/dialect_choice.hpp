// Whether a text is written in a dialect of CSV that is rewritten before it is read: told from its first bytes.
#pragma once

#include <string>
#include <string_view>

#include "ingest/files/rewritten_text.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

/// Whether input.separator is several characters that are rewritten; what it stands for then, with tabs for \t, else
/// empty. Local.
std::string several_characters(const std::string& separator);

/// The dialect of a text in UTF-8, of which `head` is the beginning. Told where the text as it stands has no separator
/// that its lines agree on, and in the dialect has:
/// - several equal characters, or several that read the same backwards (|~|), between all columns;
/// - backslashes in front of double quotes or separators; by tabs those of databases' dumps, where \N stands for what
/// is
///   missing or line ends have a backslash;
/// - double quotes around columns that blanks separate;
/// - the first line one column short, as R writes row names, or where a separator ends all other lines.
/// Else as usual, and so where request.format names another format than csv. Local.
Dialect tell_dialect(std::string_view head, const LayoutRequest& request);

}  // namespace cohort
