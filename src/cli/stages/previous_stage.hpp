// Segments that follow those of another run, which segment.previous names: they start from its members, keep its
// numbers, and its users stay unless they gain by moving.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cluster/kmeans.hpp"
#include "result/segments.hpp"

namespace cohort {

/// The result that segment.previous names, and where these users were in it.
struct PreviousResult {
  InputFile file;
  UserSegments result;
  std::vector<std::int32_t>
      row_of;  ///< of this rank's block of users: the row of the segment in `result`; -1: not there
};

/// nullopt where segment.previous is not set. Throws InputError where it names no whole result, the one that this run
/// writes, one clustered by another distance, or one without any of these users. Collective.
std::optional<PreviousResult> read_previous(const Session& session, const IdTable& users);

struct FollowingSegments {
  KmeansResult found;                ///< segments by number, no longer by size
  std::vector<std::int64_t> number;  ///< of each, ascending
  Succession succession;
};

/// K-means from the means of the previous segments' users, in the embedding that there is now; segments that most users
/// join (evaluate/matching.hpp) keep the number. former: of every point the row in `previous`, or -1. Collective.
FollowingSegments follow_previous(const Session& session, const PointSet& points, KmeansOptions options,
                                  const UserSegments& previous, std::span<const std::int32_t> former);

/// Who stayed, which segments are new, which are gone.
void log_succession(const std::string& path, const Succession& succession);

}  // namespace cohort
