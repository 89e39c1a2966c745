#include "generate/segment_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace cohort {

std::vector<std::int64_t> segment_offsets(std::int64_t total, std::int64_t segments) {
  COHORT_CHECK(segments >= 1 && segments <= total);
  const auto count = static_cast<std::size_t>(segments);
  std::vector<double> exact(count);
  for (std::size_t s = 0; s < count; ++s) {
    exact[s] = segments == 1 ? 1.0 : std::pow(size_ratio, -static_cast<double>(s) / static_cast<double>(segments - 1));
  }
  const double sum = std::accumulate(exact.begin(), exact.end(), 0.0);
  std::vector<std::int64_t> size(count);
  for (std::size_t s = 0; s < count; ++s) {
    exact[s] *= static_cast<double>(total) / sum;
    size[s] = std::max<std::int64_t>(1, static_cast<std::int64_t>(exact[s]));
  }
  // What rounding left over goes to those most below their share; what raising small ones to 1 took too much comes from
  // the large ones.
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t s) { return exact[s] - static_cast<double>(size[s]); });
  auto left = total - std::accumulate(size.begin(), size.end(), std::int64_t{0});
  for (std::size_t i = 0; left > 0; i = (i + 1) % count, --left) ++size[order[i]];
  for (std::size_t i = 0; left < 0; i = (i + 1) % count) {
    auto& largest = size[i];
    if (largest > 1) {
      --largest;
      ++left;
    }
  }
  std::vector<std::int64_t> offsets(count + 1, 0);
  std::partial_sum(size.begin(), size.end(), offsets.begin() + 1);
  return offsets;
}

std::int64_t segment_at(const std::vector<std::int64_t>& offsets, std::int64_t place) {
  return std::upper_bound(offsets.begin(), offsets.end(), place) - offsets.begin() - 1;
}

}  // namespace cohort
