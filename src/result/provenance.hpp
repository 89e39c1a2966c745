// What every file of Cohort says of its origin, and what was measured on the way.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace cohort {

/// Which program made a file, from what, how. The same on all ranks.
struct Provenance {
  std::string cohort_version;
  std::string git_revision;
  std::string configuration;  ///< TOML, every key
  std::int64_t seed = 0;
  std::int64_t ranks = 0;
  std::int64_t threads = 0;
  std::string vector_target;  ///< instructions that the kernels used on all ranks
  std::vector<InputFile> inputs;
};

/// What each rank needed; outside bit identity. The same on all ranks.
struct History {
  std::map<std::string, std::vector<double>> timing;         ///< by phase: seconds of every rank that took part
  std::map<std::string, std::vector<std::int64_t>> traffic;  ///< by what: ghosts, bytes, ... of every rank
};

}  // namespace cohort
