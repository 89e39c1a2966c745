// What a field looks like: a number, a time, a word. For telling headers from data, and ids from what is none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cohort {

/// Spaces, tabs and line ends around a field taken off. Local.
std::string_view trimmed(std::string_view text);

/// A number as weights and times may be written; blanks around it do not count. Local.
bool is_number(std::string_view text);

/// A number with a decimal comma, 3,5 or 1.234,5, as read_number knows it; empty: it is none. Local.
std::string with_decimal_point(std::string_view text);

/// Digits alone. Local.
bool is_whole_number(std::string_view text);

/// A number with a decimal point. Local.
bool is_fraction(std::string_view text);

/// Nothing, or what programs write for nothing: NA, NaN, null, None, \N. Local.
bool is_missing(std::string_view text);

/// A date (2014-04-07, 07/04/2014, 20140407), with a time of day or not, or a time of day. Local.
bool is_date(std::string_view text);

/// A whole number of seconds or milliseconds since 1970 that lies between 1995 and 2040. Local.
bool is_unix_time(std::string_view text);

/// Letters, blanks, '-', '_' and '.' only, and at least one letter: what a column's name looks like. Bytes above ASCII
/// count as letters. Local.
bool is_words(std::string_view text);

/// The text with runs of digits, of small and of capital letters as one character each: "user-17" is "a-9". Local.
std::string shape_of(std::string_view text);

/// What whole numbers of two columns differ in where one fills them up with zeros to one width and the other does not,
/// so that 00012 and 12 may be one: "ids such as 00012, not 12", those of `a` first; empty: nothing. Local.
std::string other_padding(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace cohort
