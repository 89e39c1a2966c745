// Numbers as people and programs write them into tables.
#pragma once

#include <string_view>

namespace cohort {

struct NumberText {
  double value = 0.0;
  const char* fault = nullptr;  ///< why it is none: "is no number"; null: it is one
};

/// A finite decimal number, with a sign, a point and an exponent or not ("5", "-.5", "+1e3"), and nothing around it.
/// Anything else, as nan, hexadecimal numbers and commas, is refused. Local.
NumberText read_number(std::string_view text);

}  // namespace cohort
