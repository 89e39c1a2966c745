// What the command line says of a configuration: the file, the settings over it, what training goes on from.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"

namespace cohort {

/// What training goes on from: the newest checkpoint, the one before, or none.
enum class CheckpointChoice { newest, previous, none };

struct ConfigOptions {
  std::string file;
  std::vector<std::string> settings;
  CheckpointChoice checkpoint = CheckpointChoice::newest;
};

/// Rank 0 reads the file, all parse it; a rank that has another file under its name is an error. Throws InputError.
/// Collective.
Config load_config(const Communicator& comm, const ConfigOptions& options);

}  // namespace cohort
