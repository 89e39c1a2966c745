// Explanations for a person and for a program. What they name are nodes; their ids, and the names
// beside them, are found here.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/output/explanation_labels.hpp"
#include "comm/communicator.hpp"
#include "explain/explanation.hpp"

namespace cohort {

/// The same on all ranks, as all below. Collective.
std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const UserExplanation& explanation);
nlohmann::ordered_json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                                        const UserExplanation& explanation);
std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const SegmentExplanation& explanation);
nlohmann::ordered_json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                                        const SegmentExplanation& explanation);

}  // namespace cohort
