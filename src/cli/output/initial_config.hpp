// The configuration that `cohort init` writes: what was seen of the files as comments, what was told as settings, and
// what a user may want to choose as comments to take the mark off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"

namespace cohort {

/// Files of one kind.
struct SeenFiles {
  std::vector<std::string> paths;  ///< as the configuration names them
  std::vector<std::string> seen;   ///< a line for each file: how it is written (InputReport)
  std::string counts;              ///< what is in them, in words; empty: not counted
};

/// What `cohort init` found out.
struct InitialConfig {
  std::string made_by;             ///< the command, for the first line
  SeenFiles interactions, social;  ///< one of the two has files
  SeenFiles item_attributes, user_attributes;
  std::vector<std::string> unused;                           ///< files, each with the reason
  std::vector<std::string> warnings;                         ///< what looks misread
  std::vector<std::pair<std::string, std::string>> columns;  ///< as InputConfig::columns; empty: not said
  std::string event_column;                                  ///< in words; empty: there is none
  std::vector<std::pair<std::string, std::int64_t>> events;  ///< and how many records have each
  std::string settings;                                      ///< other keys of [input], a line each
  bool has_times = false;
  bool has_weights = false;
  std::int64_t incomplete = 0;  ///< records that clean.incomplete = "drop" leaves out
  std::int64_t bad_lines = 0;   ///< malformed lines that have to be tolerated
  std::string first_bad_line;
  std::int64_t segments = 0;  ///< segment.count
};

/// As TOML, which parse_config takes. Local.
std::string initial_config_text(const InitialConfig& config);

}  // namespace cohort
