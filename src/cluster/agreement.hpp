// How far a clustering agrees with true classes, or with another clustering: NMI, ARI, purity, from one table of
// counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

struct Agreement {
  double ari = 0;          ///< adjusted Rand index (Hubert and Arabie 1985, eq. 5); 1 where both put all in one class
  double nmi = 0;          ///< mutual information over the arithmetic mean of the entropies (scikit-learn's default)
  double purity = 0;       ///< share of items whose class is the most frequent one of their cluster
  std::int64_t items = 0;  ///< that have both
};

/// cluster, category: those of each of this rank's items, from 0 on; -1: none, the item does not count. Only purity
/// tells the two apart. Counts are exact, so the bits do not depend on the ranks. The table of counts is sparse and
/// stands on every rank. Without items all three are NaN. Collective.
Agreement agreement(const Communicator& comm, std::span<const std::int32_t> cluster,
                    std::span<const std::int32_t> category);

}  // namespace cohort
