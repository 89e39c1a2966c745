// Text as a field of a CSV file (RFC 4180), for every command that writes one.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

/// In double quotes where it needs them: it holds a comma, a quote or a line end, or begins or ends with what readers
/// take away from a field without quotes (blanks, a byte order mark). What Python's csv module and Cohort's own reader
/// read is the same text. Local.
std::string csv_field(std::string_view text);

}  // namespace cohort
