// Which of the items and categories that segments have more of mark them: more held-out interactions than
// HoldoutModel expects, by Fisher's test with the segment's part of the population taken from the model, under
// Benjamini-Hochberg control. What is tested was chosen by training interactions alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "data/attributes.hpp"
#include "profile/holdout_model.hpp"
#include "result/profiles.hpp"

namespace cohort {

/// Held-out interactions with one thing: in a segment, in all, and the share of all that the model gives the segment.
struct HoldoutCounts {
  std::int64_t hits = 0;
  std::int64_t total = 0;
  double expected_share = 0;
};

/// Of each row of `items` (row_begin, item), in their order. Collective.
std::vector<HoldoutCounts> count_items(const Communicator& comm, const HoldoutModel& model, const MarkTable& items,
                                       std::span<const std::int32_t> segment);

/// A category of an attribute as a candidate of a segment.
struct CategoryCandidate {
  std::int64_t segment = 0;
  std::int32_t category = 0;
};

/// Of each candidate, in their order; the same on all ranks. A held-out interaction counts for each category of its
/// item. Collective.
std::vector<HoldoutCounts> count_categories(const Communicator& comm, const HoldoutModel& model,
                                            const CategoryAttribute& attribute,
                                            std::span<const CategoryCandidate> candidates,
                                            std::span<const std::int32_t> segment, std::int64_t segments);

/// Fills the held-out columns of `table` from the counts of its rows; the rows are one family of tests. A row's p-value
/// is that of drawing at least `hits` out of `population` interactions of which ceil(population * expected_share) are
/// the segment's, in `total` draws. Local.
void test_rows(std::span<const HoldoutCounts> counts, std::int64_t population, double false_discovery_rate,
               MarkTable& table);

}  // namespace cohort
