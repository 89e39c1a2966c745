// What every file of Cohort says of its origin, and what was measured on the way. For the files of store/ and the
// command line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/dataset.hpp"
#include "store/h5.hpp"

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

/// Collective, as all below.
void write_provenance(h5::Writer& file, const std::string& kind, const Provenance& provenance);
/// Throws InputError: not a file of Cohort, another kind than expected, another schema version.
Provenance read_provenance(const h5::Reader& file, const std::string& kind);
/// The kind of a file of Cohort. Throws InputError: not one.
std::string file_kind(const h5::Reader& file);

void write_history(h5::Writer& file, const History& history);
History read_history(const h5::Reader& file);

}  // namespace cohort
