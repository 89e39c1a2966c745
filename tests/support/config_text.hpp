// Configurations as text, parsed, and what is said of those that are wrong.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/error.hpp"

namespace cohort::testing_support {

inline constexpr auto minimal = "[input]\ninteractions = \"a.tsv\"\n";

inline Config parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_config(text, "c.toml", "/data", overrides);
}

inline std::string message(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace cohort::testing_support
