// ItemCF by plain loops over everything: what evaluate/item_neighbours.hpp must give.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/recommend_reference.hpp"

namespace cohort::testing_support {

/// Scores of all items for every user; 0 where no neighbour speaks for one.
inline std::vector<std::vector<double>> item_neighbours_scores(const WholePopulation& whole, std::int64_t neighbours) {
  const auto has = [&](std::size_t user, std::int64_t item) {
    return std::ranges::binary_search(whole.interactions[user], item);
  };
  std::vector<std::vector<double>> scores(whole.users.size(), std::vector<double>(whole.items.size(), 0.0));
  for (std::int64_t i = 0; i < whole.item_count(); ++i) {
    std::vector<std::pair<double, std::int64_t>> similar;  // the negated cosine, so that a plain sort has the order
    for (std::int64_t j = 0; j < whole.item_count(); ++j) {
      double both = 0;
      for (std::size_t u = 0; u < whole.users.size(); ++u) both += has(u, i) && has(u, j) ? 1 : 0;
      if (i == j || both == 0) continue;
      const auto cosine =
          both / std::sqrt(static_cast<double>(whole.users_of(i)) * static_cast<double>(whole.users_of(j)));
      similar.emplace_back(-std::round(cosine * 1e12) / 1e12, j);
    }
    std::ranges::sort(similar);
    similar.resize(std::min<std::size_t>(similar.size(), static_cast<std::size_t>(neighbours)));
    for (std::size_t u = 0; u < whole.users.size(); ++u) {
      if (!has(u, i)) continue;
      for (const auto& [cosine, j] : similar) scores[u][j] -= cosine;
    }
  }
  return scores;
}

/// Items that are scored and that the user has not had, best first, ties to the smaller.
inline std::vector<ReferenceItem> item_neighbours_ranking(const std::vector<double>& scores,
                                                          const std::vector<std::int64_t>& seen) {
  std::vector<ReferenceItem> all;
  for (std::int64_t i = 0; i < std::ssize(scores); ++i) {
    if (scores[i] > 0 && !std::ranges::binary_search(seen, i)) all.push_back({scores[i], i});
  }
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

}  // namespace cohort::testing_support
