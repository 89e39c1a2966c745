#include "cli/stages/count_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cluster/count_choice.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "core/words.hpp"

namespace cohort {

void check_count(const Config& config, std::int64_t users) {
  const bool automatic = config.segment.count == automatic_count;
  const auto count = automatic ? config.segment.count_min : config.segment.count;
  if (count <= users) return;
  const std::string asked = automatic                       ? "segment.count_min is"
                            : config.segment.levels.empty() ? "segment.count is"
                                                            : "segment.levels ends in";
  throw InputError(fmt::format("{} {}, but after cleaning there {} only {}", asked, count, noun(users, "is", "are"),
                               counted(users, "user")));
}

std::int64_t settle_count(const Session& session, const PointSet& points, const KmeansOptions& options,
                          CandidateTable& tried) {
  const auto& segment = session.config().segment;
  const Stopwatch stopwatch;
  spdlog::info("segment: looks for a number of segments between {} and {}", segment.count_min, segment.count_max);
  const auto choice = choose_count(session.comm(), points, options, segment.count_min, segment.count_max);
  auto& counts = tried["segments"];
  auto& silhouette = tried["silhouette"];
  auto& reference = tried["reference"];
  for (const auto& candidate : choice.tried) {
    counts.push_back(static_cast<double>(candidate.count));
    silhouette.push_back(candidate.silhouette);
    reference.push_back(candidate.reference);
  }
  if (choice.tried.empty()) {
    spdlog::info("  1 segment: fewer than {} users are different, or fewer than {} a segment; {:.1f} s",
                 segment.count_min, points_of_cluster, stopwatch.seconds());
    return 1;
  }
  const auto best = std::ranges::max_element(choice.tried, {}, &CountCandidate::excess);
  const auto found =
      fmt::format("with {} the silhouette is {:.3f} on {}, where users without segments have {:.3f}",
                  counted(best->count, "segment"), best->silhouette, counted(choice.points, "user"), best->reference);
  if (choice.count == 1) {
    spdlog::info("  1 segment: there are none that stand apart; at most, {}, and {} more is asked for; {:.1f} s", found,
                 least_excess, stopwatch.seconds());
  } else {
    spdlog::info("  {}: {}, the farthest above of {} tried; {:.1f} s", counted(choice.count, "segment"), found,
                 counted(std::ssize(choice.tried), "number"), stopwatch.seconds());
  }
  return choice.count;
}

}  // namespace cohort
