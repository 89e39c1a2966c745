// Reads files of pairs with all ranks: every rank parses its own byte range of a plain file; what is
// compressed is unpacked by one rank and dealt out in blocks of lines. No rank ever holds a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/file_layout.hpp"
#include "ingest/records/record_parser.hpp"

namespace cohort {

struct PairFiles {
  std::vector<std::string> paths;
  LayoutRequest layout;
  WeightRule rule;
  double max_bad_lines = 0;
  std::string times_needed_by;  ///< the setting for which every file must have times; empty: none
};

struct PairsRead {
  LocalPairs pairs;  ///< this rank's
  ReadStats stats;   ///< over all ranks; its warnings too
};

/// What [input] says of interactions (test files too), and of social files: a social file is no adjacency list, so its
/// format never has to be told. Local.
/// Whether records are held out is looked at in the files of input.interactions alone.
LayoutRequest interactions_layout(const InputConfig& input);
LayoutRequest split_layout(const InputConfig& input);
LayoutRequest social_layout(const InputConfig& input);

/// The column of input.columns that says which records are held out; null: none does. Local.
const std::string* split_column(const InputConfig& input);

/// What the settings say of the weights of interactions. Local.
WeightRule weight_rule(const CleanConfig& clean, const GraphConfig& graph);

/// Which rank reads which line depends on the number of ranks; the union does not. `first` and `second` may be the
/// same interner; ids get this rank's local numbers. Throws InputError, the same on all ranks. Collective.
PairsRead read_pairs(const Communicator& comm, const PairFiles& files, IdInterner& first, IdInterner& second);

}  // namespace cohort
