// Segments that follow those of another run, which segment.previous names: they start from its members, keep its
// numbers, and its users stay unless they gain by moving. Nested ones do so at every level.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cluster/grouping.hpp"
#include "cluster/kmeans.hpp"
#include "result/segments.hpp"

namespace cohort {

/// The result that segment.previous names, and where these users were in it.
struct PreviousResult {
  InputFile file;
  UserSegments result;
  std::vector<SegmentLevel> levels;  ///< above its segments, as many as this run has above its own; of nested ones
  std::vector<std::int32_t>
      row_of;  ///< of this rank's block of users: the row of the segment in `result`; -1: not there
};

/// nullopt where segment.previous is not set. Throws InputError where it names no whole result, the one that this run
/// writes, one clustered by another distance, one of another number of levels (if this run has any), or one without any
/// of these users. Collective.
std::optional<PreviousResult> read_previous(const Session& session, const IdTable& users);

struct FollowingSegments {
  KmeansResult found;                ///< segments by number, no longer by size
  std::vector<std::int64_t> number;  ///< of each, ascending
  Succession succession;
  std::vector<std::int32_t> was;  ///< of each the row in the previous result; -1: it is new
};

/// K-means from the means of the previous segments' users, in the embedding that there is now; segments that most users
/// join (evaluate/matching.hpp) keep the number. former: of every point the row in `previous`, or -1. Collective.
FollowingSegments follow_previous(const Session& session, const PointSet& points, KmeansOptions options,
                                  const UserSegments& previous, std::span<const std::int32_t> former);

/// What each level above the finest starts from: the groups that the previous segments were in. Empty where the
/// previous result has one level. Local.
std::vector<FormerGrouping> former_groupings(const PreviousResult& previous, std::span<const std::int32_t> was,
                                             double stickiness);

/// Gives the segments of a level above the finest the numbers of those previous ones that most users are in, and puts
/// them in the order of their numbers. former: of every point the row in `previous` of its finest segment, or -1;
/// segment: that of every point now, at the finest level. Collective.
void follow_level(const Communicator& comm, const SegmentLevel& previous, std::span<const std::int32_t> former,
                  std::span<const std::int32_t> segment, SegmentLevel& level);

/// Who stayed, which segments are new, which are gone; of nested ones, the coarsest level first.
void log_succession(const std::string& path, const Segments& segments);

}  // namespace cohort
