// Original ids as datasets of strings. Internal to store/.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "ingest/dataset.hpp"
#include "store/h5.hpp"

namespace cohort {

/// This rank's block of ids after those of the ranks before it. Collective.
inline void write_ids(h5::Writer& file, const std::string& name, const IdTable& ids) {
  file.strings(name, ids.block_size(), [&](std::int64_t i) { return ids[i]; });
}

/// Even blocks; empty where there is no such dataset. Collective.
inline IdTable read_ids(const Communicator& comm, const h5::Reader& file, const std::string& name) {
  IdTable result;
  const std::int64_t total = file.has(name) ? file.shape(name).at(0) : 0;
  result.distribution = Distribution::even(total, comm.size());
  if (total == 0) return result;
  file.strings(name, result.distribution.begin(comm.rank()), result.distribution.count(comm.rank()),
               [&](std::string_view id) { result.push_back(id); });
  return result;
}

}  // namespace cohort
