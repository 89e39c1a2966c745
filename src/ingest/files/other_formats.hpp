// Files that are not what Cohort reads, known by their first bytes.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

/// `head`: the first bytes, some thousand or all; a name for the bytes (path) goes into messages. Throws InputError,
/// which names the format and says what to do: archives, compressed data, binary tables, text in UTF-16
/// or UTF-32, and text without columns (JSON, XML, HTML, MatrixMarket). tables: JSON lines and Matrix Market may be
/// meant. Local.
void refuse_other_formats(std::string_view head, const std::string& path, bool tables = false);

/// The same but for text without columns: for a file that is text of another kind. Local.
void refuse_binary(std::string_view head, const std::string& path);

}  // namespace cohort
