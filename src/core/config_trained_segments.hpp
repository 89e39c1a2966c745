// What of a configuration goes with segments that are trained: train.joint, and train.loss = "dmon".
#pragma once

#include <string>

#include "core/config.hpp"

namespace cohort {

/// Of a configuration without "auto" in the loss. Throws InputError where something does not go with segments that are
/// trained; `name` begins its message. Local.
void check_trained_segments(const Config& config, const std::string& name);

}  // namespace cohort
