// Profiles of segments for a person, for a program, and for a spreadsheet.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comm/communicator.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// Those below need result.profiles, and are the same on all ranks. Collective.
std::string profile_table(const Communicator& comm, const SegmentsFile& result);
nlohmann::ordered_json profile_json(const Communicator& comm, const SegmentsFile& result);
/// One line for each thing that is listed of a segment, with a header; what does not apply is empty.
std::string profile_csv(const SegmentsFile& result);

}  // namespace cohort
