// Users who are not in the model, or are in it with other interactions: read from files of interactions, friendships
// and features, and matched against the items and users of a result. For `assign`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

/// This rank's users, their numbers by the dictionary of the files (ingest/dictionary.hpp): all whom files of
/// interactions name; of friendships, those whom the model does not know, and whom the first column names of a line
/// between two whom it knows; of features, those whom the model does not know.
struct Newcomers {
  IdTable users;
  PairTable edges;                     ///< items that the model knows, by their numbers; weights of the graph's edges
  PairTable friends;                   ///< the same of users that it knows
  std::vector<FeatureTable> features;  ///< by file
  std::vector<std::int64_t> unknown;   ///< of every user: different items that the model does not know
  ReadStats read;                      ///< of interactions, of all ranks, as all that follows
  ReadStats social;                    ///< of friendships
  std::int64_t known_pairs = 0;        ///< different (user, item) with a known item
  std::int64_t unknown_pairs = 0;
  std::int64_t unknown_items = 0;  ///< different items that are not known
  std::int64_t known_friends = 0;  ///< different (user, friend) with a known friend
  std::int64_t unknown_friends = 0;
  std::int64_t passed_over = 0;  ///< rows of features of users who are none of these
};

/// How the files are read: of input the newcomers' interactions, social, user_features and user_feature_ids (any of
/// them may be empty), format and columns as for `prepare`; graph and clean as the model was made with (but of clean
/// what drops users or items: nobody is dropped for having few interactions, or many).
struct NewcomerFiles {
  InputConfig input;
  CleanConfig clean;
  GraphConfig graph;
};

/// What newcomers may be joined to.
struct KnownNodes {
  const IdTable* users;
  const IdTable* items;
  const std::vector<std::int64_t>* item_users;  ///< training users, of this rank's block of items
};

/// An item is known if `items` holds it and it has training users. Records of events without weight, below
/// graph.min_weight or of no weight are left out, repeats merge as clean.repeats says, as for training; friendships are
/// read in both directions, as for training. Where there is a half-life, interactions age until the latest of the
/// files; files without times have none that are old. Throws InputError: a file that cannot be read or understood, no
/// item or no friend in common, features of nobody who is placed. Collective.
Newcomers read_newcomers(const Communicator& comm, const NewcomerFiles& files, const KnownNodes& known);

}  // namespace cohort
