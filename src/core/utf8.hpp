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

/// The first `most` bytes (whole characters) of a text from a file in double quotes, "..." at the end where it was cut;
/// on one line and printable. Local.
std::string quoted(std::string_view text, std::size_t most = 60);

/// "the byte 0xE9 in column 14 is not UTF-8; ...": for the text of a line that holds an invalid byte at `offset`;
/// columns are characters, from 1. Says how to convert the file. Local.
std::string not_utf8(std::string_view line, std::size_t offset);

}  // namespace cohort
