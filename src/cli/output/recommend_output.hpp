// Recommendations as text, for other programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// The segments that a result's lists are made with: those of the level that `recommend` was asked for.
struct ListedSegments {
  const SegmentLists* lists = nullptr;  ///< of the result
  std::vector<std::int32_t> segment;    ///< of each of this rank's users
  std::vector<std::int64_t> number;     ///< what the segments are called; empty: as their rows
};

/// Of a result that has recommendations, and must outlive what it returns. Local.
ListedSegments listed_segments(const SegmentsFile& result);

enum class ListFormat { csv, json_lines };

/// Writes result.recommendations to `path`, the lists of the segments first, then those of the users in their order;
/// the file appears under its name only when it is complete. CSV: a header and user,segment,rank,item,score,known, a
/// line for each item, user being empty in the list of a segment and known (1: more than half of the segment's users
/// have the item, 0: not) in that of a user, ids quoted as in RFC 4180. JSON lines: a list a line, {"user": id,
/// "segment": s, "items": [{"item": id, "score": x}, ...]}; in the list of a segment without "user", and with
/// "known": true or false beside the score; bytes of ids that are no UTF-8 are replaced. A rank needs memory for the
/// text of its own users. Throws InputError where the file cannot be made, RunError where writing fails. Collective.
void write_recommendation_lists(const Communicator& comm, const SegmentsFile& result, ListFormat format,
                                const std::string& path);

}  // namespace cohort
