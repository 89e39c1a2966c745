// Counts by (feature, segment): exact, sparse, and spread over the ranks by blocks of features, so that a rank needs
// memory for its own part of the interactions only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "data/attributes.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// Row f is feature features.begin(rank) + f; within a row segments ascend and counts are above 0.
struct SegmentTally {
  Distribution features;
  std::vector<std::int64_t> row_begin{0};
  std::vector<std::int32_t> segment;
  std::vector<std::int64_t> count;

  std::int64_t rows() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
  /// Of a row, over all segments.
  std::int64_t total(std::int64_t row) const;
};

/// Users by (item, segment): a row of `interactions` for each entry of `segment`. Collective.
SegmentTally tally_items(const Communicator& comm, const PairTable& interactions, std::span<const std::int32_t> segment,
                         const Distribution& items, std::int64_t segments);

/// Interactions by (category, segment), from those by item; rows of `attribute` are those of `items`. An interaction
/// counts for each of its item's categories. Collective.
SegmentTally tally_categories(const Communicator& comm, const SegmentTally& items, const CategoryAttribute& attribute,
                              std::int64_t segments);

/// Users by (category, segment); rows of `attribute` are those of `segment`. Collective.
SegmentTally tally_users(const Communicator& comm, const CategoryAttribute& attribute,
                         std::span<const std::int32_t> segment, std::int64_t segments);

}  // namespace cohort
