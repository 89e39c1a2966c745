// Interactions set aside for `evaluate`: a test file matched against the dictionary, or a share, random or the latest.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "ingest/dataset.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

struct TestPairs {
  PairTable pairs;  ///< rows: this rank's block of dataset.users; `other` as in Dataset::holdout
  HoldoutStats stats;
};

/// Reads input.test (format and columns as for interactions) against the dictionaries of `dataset`. Records that
/// graph.event_weights or graph.min_weight leave out of the interactions are left out here too; ages do not count.
/// Pairs of users that the dataset does not know are dropped and counted; items that it does not know stand as -1.
/// Throws InputError. Collective.
TestPairs read_test_pairs(const Communicator& comm, const Dataset& dataset, const InputConfig& input,
                          const CleanConfig& clean, const GraphConfig& graph);

/// Moves a share of dataset.interactions to dataset.holdout: an interaction goes if the uniform number of (seed,
/// Purpose::holdout, user, item) is below `share`; a user all of whose interactions would go keeps the one with the
/// largest number. Collective.
HoldoutStats draw_holdout(const Communicator& comm, Dataset& dataset, double share, std::uint64_t seed);

/// Moves the latest interactions to dataset.holdout: of all n interactions those after one cut time, the earliest time
/// after which there are at most floor(share * n) of them, so ties at the cut stay. A user with nothing up to the cut
/// keeps the earliest interaction, of equal ones that with the smallest item. The dataset must have times. Collective.
HoldoutStats cut_holdout(const Communicator& comm, Dataset& dataset, double share);

}  // namespace cohort
