// The cleaning rules, on merged tables under the numbers of the whole dictionary; the result has compact numbers in
// even blocks.
#pragma once

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "data/pair_table.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

/// Before cleaning. Tables by user are distributed as users.distribution.
struct RawDataset {
  IdTable users;
  IdTable items;
  PairTable interactions;
  PairTable social;  ///< from social_table()
};

/// Undirected edges from the lines of social files: self-loops dropped, repeated lines of the same direction merged
/// (weights summed), of the two directions the heavier one's weight for both. So a file may list an edge once or in
/// both directions. Counts into stats.self_loops and stats.social_duplicates (over all ranks). Collective.
PairTable social_table(const Communicator& comm, const Distribution& users, RawPairs lines, CleanStats& stats);

/// Applies the rules that follow merging, in the order that prepare.hpp gives. Nodes with nothing left vanish; order is
/// kept. The result has no hold-out and no files yet. Collective.
Dataset clean(const Communicator& comm, RawDataset raw, const CleanConfig& options, CleanStats& stats);

}  // namespace cohort
