// The stage `prepare`: files in, numbered and cleaned tables in blocks out. For the command line and for `run`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "ingest/features/feature_files.hpp"
#include "ingest/records/input_report.hpp"

namespace cohort {

/// What one kind of file brought. The same on all ranks.
struct ReadStats {
  std::int64_t lines = 0;                     ///< lines of data, without header and blank lines, with malformed ones
  std::int64_t records = 0;                   ///< pairs read from them; an adjacency line holds many
  std::int64_t bad_lines = 0;                 ///< malformed, tolerated by clean.max_bad_lines
  std::vector<std::string> bad_line_reports;  ///< the first of them: "file:line: what is wrong"
  std::int64_t incomplete = 0;                ///< records dropped because of clean.incomplete
  std::int64_t other_parts = 0;               ///< records whose split is another one, not among `records`
  std::int64_t validation = 0;                ///< those of them whose split is validation
  std::int64_t dropped_events = 0;            ///< records of events that graph.event_weights gives 0
  std::int64_t below_min_weight = 0;          ///< records dropped because of graph.min_weight
  std::int64_t zero_weight = 0;  ///< records of weight zero dropped: social ones, others if graph.weight uses weights
  std::int64_t repeated_headers = 0;  ///< lines that repeat the header of their file; passed over, not among `lines`
  bool grouped_by_second = false;  ///< nothing but order tells the columns, and the lines of each item stand together
  std::vector<std::string> warnings;  ///< what in the data looks misread, with what to set
};

/// What each cleaning rule removed, in the order in which the rules are applied. The same on all ranks.
struct CleanStats {
  std::int64_t decayed = 0;     ///< records so old that graph.half_life leaves them no weight
  std::int64_t duplicates = 0;  ///< interactions merged into another one of the same user and item
  std::int64_t bot_users = 0;   ///< users above clean.max_user_interactions; their social edges go too
  std::int64_t bot_interactions = 0;
  std::int64_t core_users = 0;         ///< users below clean.min_user_interactions, in any round
  std::int64_t core_items = 0;         ///< items below clean.min_item_interactions, in any round
  std::int64_t core_interactions = 0;  ///< interactions that went with either
  std::int64_t core_rounds = 0;        ///< rounds until nothing changed any more
  std::int64_t self_loops = 0;         ///< social lines of a user with itself
  std::int64_t social_duplicates = 0;  ///< social lines merged into another one of the same two users
  std::int64_t bot_social_edges = 0;   ///< social edges with a bot at one end
  std::int64_t social_only_users = 0;  ///< users without interactions, dropped by clean.social_only_users
  std::int64_t social_only_edges = 0;  ///< social edges that went with them
  std::int64_t vanished_users = 0;     ///< users in the dictionary that had nothing left and are not counted above
  std::int64_t vanished_items = 0;
};

/// What became of the pairs set aside for `evaluate`. The same on all ranks.
struct HoldoutStats {
  ReadStats read;                           ///< of input.test
  std::int64_t pairs = 0;                   ///< in Dataset::holdout
  std::optional<double> cut;                ///< temporal: interactions after this time are held out
  std::int64_t users_after_cut = 0;         ///< temporal: users with nothing before it, who keep their earliest
  std::int64_t unknown_user_pairs = 0;      ///< test file: dropped
  std::int64_t unknown_item_pairs = 0;      ///< test file: kept with `other` = -1
  std::int64_t repeated_pairs = 0;          ///< test file: records of a pair that was there already
  std::int64_t trained_pairs = 0;           ///< test file: dropped, being interactions too
  std::string nothing;                      ///< why nothing is held out although it should be; else empty
  std::int64_t items_without_training = 0;  ///< items all of whose interactions are held out; they stay in the graph
};

struct PrepareStats {
  InputReport input;
  ReadStats interactions;
  ReadStats social;
  CleanStats clean;
  HoldoutStats holdout;
  std::vector<FeatureStats> features;  ///< by file
  std::int64_t bytes = 0;              ///< of all input files, as stored
  std::int64_t users_read = 0;         ///< different ids before cleaning
  std::int64_t items_read = 0;
  double read_seconds = 0;        ///< this rank's: open, read, parse, intern
  double dictionary_seconds = 0;  ///< this rank's: numbering
  double clean_seconds = 0;       ///< this rank's: everything after
};

struct PrepareResult {
  Dataset dataset;
  PrepareStats stats;
};

/// Reads input.interactions and input.social, numbers users and items, cleans, and sets the hold-out aside. The result
/// does not depend on the number of ranks, on the order of lines or on how they are spread over files.
///
/// Order of the rules: graph.event_weights and then graph.min_weight (line by line), graph.half_life, duplicates,
/// clean.max_user_interactions, the k-core, social edges (self-loops, symmetry, duplicates, bots),
/// clean.social_only_users, nodes with nothing left. A user whom the k-core leaves without interactions but who has
/// social edges is a social-only user from there on. Times are kept if every file of interactions has them.
///
/// Where input.columns names a split, records of test are read apart, as those of input.test are, and those of
/// validation are left out. A hold-out (input.holdout) is taken after cleaning, drawn by (seed, user, item) or the
/// latest by time; each user keeps at least one interaction for training; an item may lose all of them and stays in the
/// graph without edges.
///
/// on_input is called, on every rank, before anything is read, with what was understood of the files.
///
/// Files of features are read last, for the users and items that are left.
///
/// Throws InputError, the same on all ranks: a file that cannot be read or understood, more malformed lines than
/// clean.max_bad_lines, no events or times where a setting needs them, nothing left after cleaning. Collective.
PrepareResult prepare(const Communicator& comm, const InputConfig& input, const CleanConfig& clean,
                      const GraphConfig& graph, std::uint64_t seed,
                      const std::function<void(const InputReport&)>& on_input = {});

}  // namespace cohort
