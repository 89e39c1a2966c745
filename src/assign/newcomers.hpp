// Users who are not in the model, or are in it with other interactions: read from files of interactions and matched
// against the items of a result. For `assign`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

/// This rank's users, their numbers by the dictionary of the files (ingest/dictionary.hpp).
struct Newcomers {
  IdTable users;
  PairTable edges;                    ///< items that the model knows, by their numbers; weights of the graph's edges
  std::vector<std::int64_t> unknown;  ///< of every user: different items that the model does not know
  ReadStats read;                     ///< of all ranks, as all that follows
  std::int64_t known_pairs = 0;       ///< different (user, item) with a known item
  std::int64_t unknown_pairs = 0;
  std::int64_t unknown_items = 0;  ///< different items that are not known
};

/// How the files are read: input.interactions, format and columns as for `prepare`; graph and clean as the model was
/// made with (of clean only max_bad_lines counts: nobody is dropped for having few interactions, or many).
struct NewcomerFiles {
  InputConfig input;
  CleanConfig clean;
  GraphConfig graph;
};

/// An item is known if `items` holds it and it has training users (item_users: of this rank's block of items). Records
/// of events without weight, below graph.min_weight or of no weight are left out, repeats merge, as for training. Where
/// there is a half-life, interactions age until the latest of the files; files without times have none that are old.
/// Throws InputError: a file that cannot be read or understood, no item in common. Collective.
Newcomers read_newcomers(const Communicator& comm, const NewcomerFiles& files, const IdTable& items,
                         const std::vector<std::int64_t>& item_users);

}  // namespace cohort
