// The graph and the model that a result was made from, which stand beside it.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "store/graph_file.hpp"
#include "store/model_file.hpp"
#include "store/segments_file.hpp"

namespace cohort {

struct ResultSources {
  GraphFile graph;  ///< partitioned
  ModelFile model;  ///< ModelPart::trained
};

/// graph.h5 and model.h5 in the directory of `path`, which holds `result` with `config` inside. Throws InputError where
/// one is missing, or is not what the result was made from. Collective.
ResultSources read_sources(const Communicator& comm, const SegmentsFile& result, const Config& config,
                           const std::string& path);

}  // namespace cohort
