#include "cli/stages/count_stage.hpp"

#include <fmt/format.h>

#include <limits>

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
  const auto nothing = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < choice.tried.size(); ++i) {
    const auto& candidate = choice.tried[i];
    const bool best = i == choice.best;
    tried["segments"].push_back(static_cast<double>(candidate.count));
    tried["silhouette"].push_back(candidate.silhouette);
    tried["reference"].push_back(candidate.reference);
    tried["stability"].push_back(best ? choice.halves.stability : nothing);
    tried["reference_stability"].push_back(best ? choice.reference_halves.stability : nothing);
    tried["valley"].push_back(best ? choice.halves.valley : nothing);
    tried["reference_valley"].push_back(best ? choice.reference_halves.valley : nothing);
  }
  if (choice.tried.empty()) {
    spdlog::info("  1 segment: fewer than {} users are different, or fewer than {} a segment; {:.1f} s",
                 segment.count_min, points_of_cluster, stopwatch.seconds());
    return 1;
  }
  const auto& best = choice.tried[choice.best];
  const auto found =
      fmt::format("with {} the silhouette is {:.3f} on {}, where users without segments have {:.3f}",
                  counted(best.count, "segment"), best.silhouette, counted(choice.points, "user"), best.reference);
  const auto halves = fmt::format(
      "halves of the users agree on them by {:.2f} (adjusted Rand index; without segments {:.2f}), and half-way "
      "between neighbouring ones users are {:.0f} % as dense as at most on the way (without segments {:.0f} %)",
      choice.halves.stability, choice.reference_halves.stability, 100 * choice.halves.valley,
      100 * choice.reference_halves.valley);
  if (choice.count > 1) {
    spdlog::info("  {}: {}, the farthest above of {} tried; {}; {:.1f} s", counted(choice.count, "segment"), found,
                 counted(std::ssize(choice.tried), "number"), halves, stopwatch.seconds());
  } else {
    spdlog::info("  1 segment: there are none that stand apart and are found again; at most, {}; {}; {:.1f} s", found,
                 halves, stopwatch.seconds());
  }
  return choice.count;
}

}  // namespace cohort
