#include "evaluate/exposure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "core/fixed_point.hpp"

namespace cohort {

namespace {

// Sets of users: overall, cold, and the segments.
constexpr std::int32_t overall_set = 0;
constexpr std::int32_t cold_set = 1;
constexpr std::int32_t first_segment_set = 2;

/// `items` items of a set are shown `times` times each.
struct Tally {
  std::int32_t set;
  std::int64_t times;
  std::int64_t items;
};

// Of one set, over all ranks.
struct Shown {
  std::map<std::int64_t, std::int64_t> items_by_times;  // times above 0
  std::int64_t information = 0;                         // in fixed point
};

// From runs of equal values in ascending order: sum over items by rank of (2 rank - n - 1) times, over n times' sum.
Exposure exposure_of(const Shown& shown, std::int64_t catalogue, FixedPoint fixed) {
  __extension__ using Wide = __int128;
  std::int64_t items = 0;
  std::int64_t total = 0;
  for (const auto& [times, count] : shown.items_by_times) {
    items += count;
    total += times * count;
  }
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  if (total == 0) return {nothing, nothing, nothing};
  Wide weighted = 0;
  std::int64_t below = catalogue - items;  // items of lower rank
  for (const auto& [times, count] : shown.items_by_times) {
    // Ranks below + 1 .. below + count: their sum of 2 rank - n - 1.
    weighted += Wide{times} * count * (2 * below + count - catalogue);
    below += count;
  }
  Exposure exposure;
  exposure.coverage = static_cast<double>(items) / static_cast<double>(catalogue);
  exposure.novelty = fixed.real(shown.information) / static_cast<double>(total);
  exposure.gini = static_cast<double>(weighted) / (static_cast<double>(catalogue) * static_cast<double>(total));
  return exposure;
}

}  // namespace

Exposures exposures(const Communicator& comm, const PairTable& lists, std::span<const std::int32_t> group,
                    const ItemCounts& counts, std::int64_t users) {
  const auto segments = counts.segments();
  const auto shown = count_items(comm, lists, group, 2 * segments, counts.blocks);
  const auto fixed = FixedPoint::for_count(shown.interactions, 7);  // information is below 2^6 bits
  const auto sets = static_cast<std::size_t>(segments) + first_segment_set;
  std::vector<std::int64_t> information(sets, 0);
  std::vector<Tally> tallies;
  comm.attempt([&] {
    std::map<std::pair<std::int32_t, std::int64_t>, std::int64_t> items;
    const auto add = [&](std::int32_t set, std::int64_t row, std::int64_t times) {
      if (times == 0) return;
      ++items[{set, times}];
      const auto owners = std::max<std::int64_t>(1, counts.users[row]);
      const auto self_information = std::log2(static_cast<double>(users) / static_cast<double>(owners));
      information[set] += times * fixed.fixed(self_information);
    };
    std::vector<std::int64_t> cold(shown.users.size(), 0);
    for (std::int32_t s = 0; s < segments; ++s) {
      // Both groups of the segment, each ascending by item.
      const auto group = std::int64_t{2} * s;
      auto warm = shown.begin[group];
      auto chill = shown.begin[group + 1];
      const auto warm_end = chill;
      const auto chill_end = shown.begin[group + 2];
      while (warm < warm_end || chill < chill_end) {
        constexpr auto none = std::numeric_limits<std::int32_t>::max();
        const auto warm_row = warm < warm_end ? shown.row[warm] : none;
        const auto cold_row = chill < chill_end ? shown.row[chill] : none;
        const auto row = std::min(warm_row, cold_row);
        std::int64_t times = 0;
        if (warm_row == row) times += shown.segment_users[warm++];
        if (cold_row == row) {
          const auto of_cold = shown.segment_users[chill++];
          cold[row] += of_cold;
          times += of_cold;
        }
        add(first_segment_set + s, row, times);
      }
    }
    for (std::size_t row = 0; row < cold.size(); ++row) {
      add(overall_set, static_cast<std::int64_t>(row), shown.users[row]);
      add(cold_set, static_cast<std::int64_t>(row), cold[row]);
    }
    for (const auto& [key, count] : items) tallies.push_back({key.first, key.second, count});
  });
  comm.sum_in_place(std::span<std::int64_t>(information));
  std::vector<Shown> of_set(sets);
  for (const auto& tally : comm.all_gather(std::span<const Tally>(tallies)).data) {
    of_set[tally.set].items_by_times[tally.times] += tally.items;
  }
  Exposures result;
  for (std::size_t set = 0; set < sets; ++set) {
    of_set[set].information = information[set];
    const auto exposure = exposure_of(of_set[set], counts.blocks.total(), fixed);
    if (set == overall_set) {
      result.overall = exposure;
    } else if (set == cold_set) {
      result.cold = exposure;
    } else {
      result.segments.push_back(exposure);
    }
  }
  return result;
}

}  // namespace cohort
