// METIS's two partitioners behind checked calls. Local, single-threaded. Only this folder's sources include it: it
// brings metis.h.
#pragma once

#include <metis.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "core/config.hpp"

namespace cohort {

inline constexpr std::int64_t metis_largest = std::numeric_limits<idx_t>::max();

/// A symmetric graph in METIS's integers (32 or 64 bits, as the library was built).
struct MetisGraph {
  std::vector<idx_t> row_begin{0};
  std::vector<idx_t> column;
  std::vector<idx_t> node_weight;
  std::vector<idx_t> edge_weight;  ///< empty: 1 each

  std::int64_t nodes() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
};

/// METIS_PartGraphKway (Karypis and Kumar 1998, "Multilevel k-way partitioning scheme for irregular graphs"). The part
/// of every node, 0..parts-1. parts >= 2. Throws RunError: METIS failed, or what it returned is no partition.
std::vector<idx_t> metis_kway(MetisGraph& graph, std::int64_t parts, CutObjective objective, std::uint64_t seed);

/// METIS_PartGraphRecursive into two halves of even weight. Throws RunError as above.
std::vector<idx_t> metis_bisect(MetisGraph& graph, std::uint64_t seed);

/// Brings weights down, none to below 1, so that their sum stays far inside idx_t and no single one exceeds `ceiling`
/// of the sum (METIS mishandles extreme ratios).
std::vector<idx_t> metis_weights(const std::vector<std::int64_t>& weights, double ceiling);

}  // namespace cohort
