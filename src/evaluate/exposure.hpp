// What lists of recommendations do to the catalogue: how much of it is shown at all, how unknown what is shown is, and
// how unequally items are shown.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "items/item_counts.hpp"

namespace cohort {

/// NaN where nothing is shown.
struct Exposure {
  double coverage = 0;  ///< share of the catalogue that is in some list
  double novelty = 0;  ///< mean of log2(U / n_i) over all that is shown, in bits: the self-information of having item i
                       ///< among U users (Zhou et al., PNAS 2010); an item that nobody has counts as one user's
  double gini = 0;     ///< of how often items of the catalogue are shown: 0 all alike, near 1 always the same few
};

/// Users in test groups: group 2 s of a segment s, 2 s + 1 where the user is cold.
constexpr std::int32_t group_of(std::int32_t segment, bool cold) {
  return 2 * segment + (cold ? 1 : 0);
}

struct Exposures {
  Exposure overall;
  Exposure cold;
  std::vector<Exposure> segments;
};

/// lists: items shown, a row for each of this rank's users, no repeats within one; group: of each row. counts, users:
/// of training. Collective.
Exposures exposures(const Communicator& comm, const PairTable& lists, std::span<const std::int32_t> group,
                    const ItemCounts& counts, std::int64_t users);

}  // namespace cohort
