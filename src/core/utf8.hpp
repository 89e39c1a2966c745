// Text in UTF-8: whether it is, and how text from files goes into messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cohort {

/// Offset of the first byte that is no part of valid UTF-8 (RFC 3629: no surrogates, nothing overlong or above
/// U+10FFFF); npos: all is valid. Much faster than parsing where most bytes are ASCII. Local.
std::size_t find_invalid_utf8(std::string_view text);

/// The text with every byte that is not valid UTF-8, and every control character but tab and line end, written as
/// "\xE9": nothing in it can garble a terminal or a log. Local.
std::string printable(std::string_view text);

/// The same on one line, for tables and sentences: tab and line end are written as "\t" and "\n". Local.
std::string one_line(std::string_view text);

/// The first `most` bytes (whole characters) of a text from a file in double quotes, "..." at the end where it was cut;
/// on one line and printable. Local.
std::string quoted(std::string_view text, std::size_t most = 60);

/// "the byte 0xE9 in column 14 is not UTF-8", of a line that holds an invalid byte at `offset`; columns are characters,
/// from 1. Local.
std::string not_utf8(std::string_view line, std::size_t offset);

/// What to do about a file of which not_utf8 speaks.
constexpr std::string_view convert_to_utf8 = "; convert the file (from Latin-1: iconv -f latin1 -t utf-8 OLD > NEW)";

/// Throws InputError "WHERE:LINE: the byte ... is not UTF-8" and what to do, where the text of a whole file is not.
/// Local.
void require_utf8_file(std::string_view text, const std::string& where);

/// The same for a text from the command line: "WHAT: the byte ...". Local.
void require_utf8_argument(std::string_view text, const std::string& what);

}  // namespace cohort
