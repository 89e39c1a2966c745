// The stages one after the other, as `run` chains them in memory and as the stage commands run them between files. Each
// takes what the stage before left, logs what it did, and records how long each rank took. Collective, all of them.
#pragma once

#include "cli/session.hpp"
#include "store/graph_file.hpp"

namespace cohort {

/// Reads and cleans the input files.
GraphFile prepare_graph(const Session& session);

void write_graph(const Session& session, const GraphFile& graph);

}  // namespace cohort
