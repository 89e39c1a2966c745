#include "cli/output/segments_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "core/fixed_point.hpp"
#include "core/memory.hpp"

namespace cohort {

std::vector<double> mean_distances(const Communicator& comm, std::span<const std::int32_t> segment,
                                   std::span<const float> distance, std::span<const std::int64_t> size) {
  const auto fixed = FixedPoint::with_bits(20);
  std::vector<std::int64_t> sum(size.size());
  for (std::size_t i = 0; i < segment.size(); ++i) {
    sum[segment[i]] += fixed.fixed(static_cast<double>(distance[i]));
  }
  comm.sum_in_place(std::span<std::int64_t>(sum));
  std::vector<double> mean(size.size(), 0);
  for (std::size_t s = 0; s < size.size(); ++s) {
    if (size[s] > 0) mean[s] = fixed.real(sum[s]) / static_cast<double>(size[s]);
  }
  return mean;
}

void say_segments(const Communicator& comm, const SegmentsFile& result) {
  const auto& segments = result.segments;
  const auto distance = mean_distances(comm, segments.segment, segments.distance, segments.size);
  auto text = fmt::format("{:>8} {:>12} {:>8} {:>14}\n", "segment", "users", "share", "mean distance");
  for (std::size_t s = 0; s < distance.size(); ++s) {
    text += fmt::format("{:>8} {:>12} {:>6.1f} % {:>14.4f}\n", number_of(segments.number, static_cast<std::int64_t>(s)),
                        with_commas(segments.size[s]),
                        100 * static_cast<double>(segments.size[s]) / static_cast<double>(result.users.total()),
                        distance[s]);
  }
  if (spdlog::should_log(spdlog::level::info)) say(comm, text);
}

std::string list_of_numbers(std::span<const std::int64_t> numbers) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(numbers.size(), most); ++i) {
    const bool last = i > 0 && i + 1 == numbers.size();
    text += fmt::format("{}{}", i == 0 ? "" : last ? " and " : ", ", numbers[i]);
  }
  return numbers.size() > most ? text + fmt::format(" and {} more", numbers.size() - most) : text;
}

void log_memory(const Communicator& comm) {
  const auto mine = peak_resident_bytes();
  spdlog::info("peak memory of a rank: {}, of all together at most {}", in_bytes(comm.max(mine)),
               in_bytes(comm.sum(mine)));
}

}  // namespace cohort
