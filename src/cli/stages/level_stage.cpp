#include "cli/stages/level_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output/logging.hpp"
#include "cluster/levels.hpp"
#include "core/error.hpp"
#include "profile/additions.hpp"
#include "train/choices.hpp"

namespace cohort {

void ask_for_levels(const Config& config, KmeansOptions& options) {
  if (!config.segment.levels.empty()) options.asked_by = "segment.levels ends in";
}

std::vector<SegmentLevel> levels_above(const Session& session, const PointSet& points, const KmeansResult& found,
                                       std::span<const FormerGrouping> former) {
  const auto& counts = session.config().segment.levels;
  std::vector<SegmentLevel> levels;
  if (counts.empty()) return levels;
  std::vector<std::int64_t> above;
  session.comm().attempt([&] {
    // There may be fewer of the finest (KmeansOptions::or_fewer).
    for (const auto count : std::span(counts).first(counts.size() - 1)) {
      above.push_back(std::min(count, std::ssize(found.size)));
    }
  });
  auto nested = nest_segments(session.comm(), points, by_direction(session.config()), found, above, former);
  session.comm().attempt([&] {
    for (auto& one : nested) {
      auto& level = levels.emplace_back();
      level.of_finest = std::move(one.of_finest);
      level.centroid = std::move(one.centroid);
      level.size = std::move(one.size);
    }
  });
  spdlog::info("segment: {} levels, segments inside each other, of {}", counts.size(), fmt::join(counts, ", "));
  return levels;
}

void check_level(const Segments& segments, std::int64_t level, const std::string& path) {
  const auto count = std::ssize(segments.levels) + 1;
  if (level == 0 || (level <= count && count > 1)) return;
  throw InputError(count == 1 ? path + " has one level of segments, so there is no level " + std::to_string(level) +
                                    " to choose; set segment.levels and run `cohort segment` again"
                              : path + " has levels 1 to " + std::to_string(count) + ", but --level is " +
                                    std::to_string(level));
}

namespace {

// Counted from 0, the coarsest.
std::size_t place_of(const Segments& segments, std::int64_t level) {
  return level == 0 ? segments.levels.size() : static_cast<std::size_t>(level - 1);
}

}  // namespace

std::vector<std::int32_t> segments_of_level(const Segments& segments, std::int64_t level) {
  return segments_at(segments.levels, place_of(segments, level), segments.segment);
}

const std::vector<std::int64_t>& numbers_of_level(const Segments& segments, std::int64_t level) {
  return numbers_at(segments, place_of(segments, level));
}

void profile_levels(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                    SegmentsFile& result) {
  auto& segments = result.segments;
  result.additions.clear();
  if (segments.levels.empty()) return;
  for (std::size_t n = 0; n <= segments.levels.size(); ++n) {
    comm.stop_if_interrupted();
    const bool finest = n == segments.levels.size();
    const auto& size = finest ? segments.size : segments.levels[n].size;
    std::vector<std::int32_t> at;
    comm.attempt([&] { at = segments_at(segments.levels, n, segments.segment); });
    if (n > 0) {
      const auto parents = parents_at(segments.levels, n);
      const LevelPair pair{at, size, parents, numbers_at(segments, n - 1), static_cast<std::int64_t>(n)};
      result.additions.push_back(profile_additions(comm, input, pair, options));
    }
    if (finest) break;
    auto& level = segments.levels[n];
    Segments view;
    comm.attempt([&] {
      view.segment = std::move(at);
      view.size = level.size;
      view.centroid = copy_of(level.centroid.view());
      for (std::int64_t user = 0; user < segments.users.rows(); ++user) {
        const auto place = place_in_level(segments.users.row(user), segments.centroid.view(), level.of_finest,
                                          level.centroid.view(), input.spherical);
        view.distance.push_back(place.distance);
        view.margin.push_back(place.margin);
      }
    });
    auto of_level = input;
    of_level.segments = &view;
    level.profiles = profile_segments(comm, of_level, options);
  }
}

}  // namespace cohort
