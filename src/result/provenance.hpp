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
  std::vector<InputFile> follows;  ///< results of other runs that this one goes on from
};

/// By column, a row for each candidate; docs/file-formats.md names the columns.
using CandidateTable = std::map<std::string, std::vector<double>>;

/// The same on all ranks. What each rank needed is outside bit identity.
struct History {
  std::map<std::string, std::vector<double>> timing;         ///< by phase: seconds of every rank that took part
  std::map<std::string, std::vector<std::int64_t>> traffic;  ///< by what: ghosts, bytes, ... of every rank
  CandidateTable count;   ///< numbers of segments that were tried (cluster/count_choice.hpp)
  CandidateTable choice;  ///< what training was tried with (cli/stages/choice_stage.hpp)
  /// By column, a row for each epoch of the joint phase of training (train/joint.hpp).
  std::map<std::string, std::vector<double>> joint;
};

}  // namespace cohort
