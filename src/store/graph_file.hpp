// graph.h5: what `prepare` and `partition` leave behind. Any number of ranks reads what any number wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// A partition of the nodes of a dataset.
struct StoredPartition {
  std::vector<std::int32_t> shard_of;    ///< of this rank's even block of the U + I nodes
  std::vector<std::int64_t> shard_cost;  ///< (S), the same on all ranks
};

struct GraphFile {
  Dataset dataset;                           ///< in even blocks
  std::optional<StoredPartition> partition;  ///< once `partition` has run
  Provenance provenance;
  History history;
};

/// Writes the whole file under a temporary name and renames it. Throws InputError, RunError. Collective.
void write_graph_file(const Communicator& comm, const std::string& path, const GraphFile& graph);

/// Throws InputError: missing, no graph file, damaged. Collective.
GraphFile read_graph_file(const Communicator& comm, const std::string& path);

}  // namespace cohort
