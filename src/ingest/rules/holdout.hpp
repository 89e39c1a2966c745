// Interactions set aside for `evaluate`: a test file matched against the dictionary, or a share, random or the latest.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

struct TestPairs {
  PairTable pairs;  ///< rows: this rank's block of dataset.users; `other` as in Dataset::holdout
  HoldoutStats stats;
};

/// Reads input.test (format and columns as for interactions), or the records of input.interactions whose split is test,
/// against the dictionaries of `dataset`. Records that
/// graph.event_weights or graph.min_weight leave out of the interactions are left out here too; ages do not count.
/// Repeated pairs count once. Pairs of users that the dataset does not know, and pairs that are among its interactions,
/// are dropped and counted; items that it does not know stand as -1. Throws InputError also where there is no pair, or
/// none whose user, or none whose item, is known; settable: whether it may advise to set [input]. Collective.
TestPairs read_test_pairs(const Communicator& comm, const Dataset& dataset, const InputConfig& input,
                          const CleanConfig& clean, const GraphConfig& graph, bool settable = true);

/// Why a dataset has no hold-out although the configuration wants one, as a sentence without its end; empty where it
/// wants none or there is one. What is held out is in dataset.holdout, so all interactions are what they were before.
/// Collective.
std::string why_nothing_is_held_out(const Communicator& comm, const Dataset& dataset, const InputConfig& input);

/// Moves a share of dataset.interactions to dataset.holdout: an interaction goes if the uniform number of (seed,
/// Purpose::holdout, user, item) is below `share`; a user all of whose interactions would go keeps the one with the
/// largest number. Collective.
HoldoutStats draw_holdout(const Communicator& comm, Dataset& dataset, double share, std::uint64_t seed);

/// Moves the `count` latest interactions of every user to dataset.holdout; of one time those of the largest items. Each
/// user keeps one. The dataset must have times. Collective.
HoldoutStats hold_last(const Communicator& comm, Dataset& dataset, std::int64_t count);

/// Moves the latest interactions to dataset.holdout: of all n interactions those after one cut time, the earliest time
/// after which there are at most floor(share * n) of them, so ties at the cut stay. A user with nothing up to the cut
/// keeps the earliest interaction, of equal ones that with the smallest item. The dataset must have times. Collective.
HoldoutStats cut_holdout(const Communicator& comm, Dataset& dataset, double share);

}  // namespace cohort
