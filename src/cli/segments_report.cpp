#include "cli/segments_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "cli/logging.hpp"
#include "cli/report.hpp"
#include "core/timer.hpp"

namespace cohort {

void say_segments(const Communicator& comm, const SegmentsFile& result) {
  const auto& segments = result.segments;
  // Distances are added as integers of 2^-20, so that the sums do not depend on the ranks.
  constexpr int bits = 20;
  std::vector<std::int64_t> distance(segments.size.size());
  for (std::size_t i = 0; i < segments.segment.size(); ++i) {
    distance[static_cast<std::size_t>(segments.segment[i])] +=
        static_cast<std::int64_t>(std::ldexp(static_cast<double>(segments.distance[i]), bits));
  }
  comm.sum_in_place(std::span<std::int64_t>(distance));
  auto text = fmt::format("{:>8} {:>12} {:>8} {:>14}\n", "segment", "users", "share", "mean distance");
  for (std::size_t s = 0; s < distance.size(); ++s) {
    const auto users = static_cast<double>(segments.size[s]);
    text += fmt::format("{:>8} {:>12} {:>6.1f} % {:>14.4f}\n", s, with_commas(segments.size[s]),
                        100 * users / static_cast<double>(result.users.total()),
                        users > 0 ? std::ldexp(static_cast<double>(distance[s]), -bits) / users : 0.0);
  }
  if (spdlog::should_log(spdlog::level::info)) say(comm, text);
}

void log_memory(const Communicator& comm) {
  const auto mine = peak_resident_bytes();
  spdlog::info("peak memory of a rank: {}, of all together at most {}", in_bytes(comm.max(mine)),
               in_bytes(comm.sum(mine)));
}

}  // namespace cohort
