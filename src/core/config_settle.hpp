// What a configuration says about networks and what they read, and what is "auto" in it. For parse_config.
#pragma once

#include <string>

#include "core/config.hpp"

namespace cohort {

/// Throws InputError where what networks read does not go together; `name` begins its message. Local.
void check_features(const Config& config, const std::string& name);

/// Puts something in the place of what is "auto" and follows from the rest of the configuration alone: the encoder
/// where there are features, the loss, and from it the layers; segment.count is the last of segment.levels, where there
/// are any. Throws InputError. Local.
void settle_config(Config& config, const std::string& name);

}  // namespace cohort
