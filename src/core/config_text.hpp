// Values of a configuration as TOML has them. Internal to core/: for config.cpp and its messages.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

/// The shortest text that reads back as the same number, with a point or an exponent.
std::string shortest(double number);

/// Quoted, with TOML's escapes.
std::string toml_string(std::string_view text);

}  // namespace cohort
