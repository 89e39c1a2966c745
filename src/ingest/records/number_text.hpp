// Numbers as people and programs write them into tables.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

struct NumberText {
  double value = 0.0;
  const char* fault = nullptr;  ///< why it is none: "is no number"; null: it is one
};

/// A finite decimal number, with a sign, a point and an exponent or not ("5", "-.5", "+1e3"), and nothing around it.
/// Anything else, as nan, hexadecimal numbers and commas, is refused. Local.
NumberText read_number(std::string_view text);

/// A number whose thousands stand apart, as in 1,234,567.5 (group ',', decimal '.'), as read_number knows it; the text
/// itself if it is none. Local.
std::string without_thousands(std::string_view text, char group, char decimal);

/// Whether it is 1.234 or 1,234, which may be a thousand or a bit more than one; point: what stands in it. Local.
bool may_be_thousands(std::string_view text, char point);

}  // namespace cohort
