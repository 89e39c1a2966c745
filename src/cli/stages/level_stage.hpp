// What nested segments (segment.levels) add to the stages. Levels are counted from 1, the coarsest, as users see them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cli/stages/pipeline.hpp"
#include "cluster/grouping.hpp"
#include "cluster/kmeans.hpp"
#include "profile/profile.hpp"
#include "result/segments.hpp"

namespace cohort {

/// Asks for as many segments as the finest level has, if there are levels. Local.
void ask_for_levels(const Config& config, KmeansOptions& options);

/// The levels above the segments that k-means found of these points; none where none are configured. former: what each
/// starts from, or nothing. Says how many. Collective.
std::vector<SegmentLevel> levels_above(const Session& session, const PointSet& points, const KmeansResult& found,
                                       std::span<const FormerGrouping> former = {});

/// Throws InputError where there is no such level in the result at `path`; 0, which is the finest, always is. Local.
void check_level(const Segments& segments, std::int64_t level, const std::string& path);

/// The segments of this rank's users at a level, 0 being the finest. Local.
std::vector<std::int32_t> segments_of_level(const Segments& segments, std::int64_t level);

/// What the segments of a level are called, 0 being the finest; empty: as their rows. Local.
const std::vector<std::int64_t>& numbers_of_level(const Segments& segments, std::int64_t level);

/// The profiles of the levels above the finest, and what each level adds to the one above it; nothing where there is
/// one level. input: what the finest segments were profiled by. Collective.
void profile_levels(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                    SegmentsFile& result);

}  // namespace cohort
