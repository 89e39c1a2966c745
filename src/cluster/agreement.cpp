#include "cluster/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace cohort {

namespace {

struct Cell {
  std::int32_t cluster = 0;
  std::int32_t category = 0;
  std::int64_t items = 0;
};

using Table = std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t>;
using Sizes = std::map<std::int32_t, std::int64_t>;

double pairs(std::int64_t items) {
  return 0.5 * static_cast<double>(items) * static_cast<double>(items - 1);
}

double pairs_within(const auto& counts) {
  double sum = 0;
  for (const auto& [key, items] : counts) sum += pairs(items);
  return sum;
}

double entropy(const Sizes& sizes, double items) {
  double sum = 0;
  for (const auto& [key, size] : sizes) {
    const double share = static_cast<double>(size) / items;
    sum -= share * std::log(share);
  }
  return sum;
}

}  // namespace

Agreement agreement(const Communicator& comm, std::span<const std::int32_t> cluster,
                    std::span<const std::int32_t> category) {
  std::vector<Cell> mine;
  comm.attempt([&] {
    COHORT_CHECK(cluster.size() == category.size());
    Table table;
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (cluster[i] >= 0 && category[i] >= 0) ++table[{cluster[i], category[i]}];
    }
    for (const auto& [key, items] : table) mine.push_back({key.first, key.second, items});
  });
  const auto cells = comm.all_gather(std::span<const Cell>(mine));
  Agreement result;
  comm.attempt([&] {
    // From here on the same on every rank, in the order of the numbers.
    Table table;
    Sizes clusters;
    Sizes categories;
    Sizes most;  // of a cluster's most frequent category
    for (const auto& cell : cells.data) {
      table[{cell.cluster, cell.category}] += cell.items;
      clusters[cell.cluster] += cell.items;
      categories[cell.category] += cell.items;
      result.items += cell.items;
    }
    if (result.items == 0) {
      result.ari = result.nmi = result.purity = std::numeric_limits<double>::quiet_NaN();
      return;
    }
    const auto items = static_cast<double>(result.items);
    double information = 0;
    for (const auto& [key, both] : table) {
      const auto joint = static_cast<double>(both);
      const double sizes = static_cast<double>(clusters[key.first]) * static_cast<double>(categories[key.second]);
      information += joint / items * std::log(joint * items / sizes);
      most[key.first] = std::max(most[key.first], both);
    }
    const double entropies = 0.5 * (entropy(clusters, items) + entropy(categories, items));
    result.nmi = entropies == 0 ? 1.0 : std::clamp(information / entropies, 0.0, 1.0);
    const double in_clusters = pairs_within(clusters);
    const double in_categories = pairs_within(categories);
    const double expected = result.items < 2 ? 0.0 : in_clusters * in_categories / pairs(result.items);
    const double greatest = 0.5 * (in_clusters + in_categories);
    // Both put all in one class, or each item in its own.
    result.ari = greatest == expected ? 1.0 : (pairs_within(table) - expected) / (greatest - expected);
    std::int64_t matched = 0;
    for (const auto& [key, count] : most) matched += count;
    result.purity = static_cast<double>(matched) / items;
  });
  return result;
}

}  // namespace cohort
