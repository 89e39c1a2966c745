// Recommendations as text, for other programs.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "store/segments_file.hpp"

namespace cohort {

enum class ListFormat { csv, json_lines };

/// Writes result.recommendations to `path`, the lists of the segments first, then those of the users in their order;
/// the file appears under its name only when it is complete. CSV: a header and user,segment,rank,item,score, a line for
/// each item, user being empty in the list of a segment, ids quoted as in RFC 4180. JSON lines: a list a line,
/// {"user": id, "segment": s, "items": [{"item": id, "score": x}, ...]}, without "user" in the list of a segment; bytes
/// of ids that are no UTF-8 are replaced. A rank needs memory for the text of its own users. Throws InputError where
/// the file cannot be made, RunError where writing fails. Collective.
void write_recommendation_lists(const Communicator& comm, const SegmentsFile& result, ListFormat format,
                                const std::string& path);

}  // namespace cohort
