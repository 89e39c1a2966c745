// Explanations of where a network puts a user, and of what holds a segment together, for a person and for a program.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/output/explanation_labels.hpp"
#include "comm/communicator.hpp"
#include "explain/network_explanation.hpp"
#include "explain/network_segment_explanation.hpp"

namespace cohort {

/// The same on all ranks, as below. Collective.
std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const NetworkExplanation& explanation);
nlohmann::ordered_json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                                        const NetworkExplanation& explanation);
std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const NetworkSegmentExplanation& explanation);
nlohmann::ordered_json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                                        const NetworkSegmentExplanation& explanation);

}  // namespace cohort
