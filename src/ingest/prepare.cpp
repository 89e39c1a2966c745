#include "ingest/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "comm/index_plan.hpp"
#include "comm/machine_memory.hpp"
#include "core/error.hpp"
#include "core/memory.hpp"
#include "core/stopwatch.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/prepare_memory.hpp"
#include "ingest/records/missing_ids.hpp"
#include "ingest/records/pair_reader.hpp"
#include "ingest/records/reading_checks.hpp"
#include "ingest/rules/cleaning.hpp"
#include "ingest/rules/decay.hpp"
#include "ingest/rules/holdout.hpp"

namespace cohort {

namespace {

void check_options(const InputConfig& input) {
  if (input.interactions.empty() && input.social.empty()) {
    throw InputError("nothing to read: set input.interactions, input.social or both");
  }
  if (!input.test.empty() && input.holdout > 0) {
    throw InputError("input.test and input.holdout both say what is held out; set one of them");
  }
  if (input.holdout_last > 0 && (!input.test.empty() || input.holdout > 0)) {
    throw InputError("input.holdout_last says what is held out, and so " +
                     std::string(input.test.empty() ? "does input.holdout" : "does input.test") + "; set one of them");
  }
  if (split_column(input) && (!input.test.empty() || input.holdout > 0 || input.holdout_last > 0)) {
    throw InputError("input.columns.split says what is held out, and so does " +
                     std::string(!input.test.empty() ? "input.test"
                                 : input.holdout > 0 ? "input.holdout"
                                                     : "input.holdout_last") +
                     "; set one of them");
  }
  if (split_column(input) && input.interactions.empty()) {
    throw InputError("input.columns.split holds interactions out, but input.interactions is not set");
  }
  if (input.interactions.empty() && (!input.test.empty() || input.holdout > 0 || input.holdout_last > 0)) {
    throw InputError(
        "input.test, input.holdout and input.holdout_last hold interactions out, but input.interactions is not set");
  }
}

// Local numbers to those of the dictionaries; frees the local ones.
RawPairs with_global_numbers(LocalPairs local, const std::vector<std::int64_t>& first,
                             const std::vector<std::int64_t>& second) {
  RawPairs raw;
  const auto translate = [](HugeVector<std::uint32_t> ids, const std::vector<std::int64_t>& number) {
    HugeVector<std::int64_t> result(ids.size());
    std::ranges::transform(ids, result.begin(), [&](std::uint32_t id) { return number[id]; });
    return result;
  };
  raw.row = translate(std::move(local.first), first);
  raw.other = translate(std::move(local.second), second);
  raw.weight = std::move(local.weight);
  raw.time = std::move(local.time);
  raw.has_time = local.has_time;
  return raw;
}

// What to say where cleaning left nothing: the rule that removed most.
void refuse_nothing(const PrepareStats& stats, const std::vector<std::string>& files, const CleanConfig& clean,
                    const GraphConfig& graph, const std::string& what) {
  struct Removed {
    std::int64_t count;
    std::string by;
    std::string remedy;
  };
  const auto& reports =
      stats.interactions.bad_line_reports.empty() ? stats.social.bad_line_reports : stats.interactions.bad_line_reports;
  const std::string loosen = "loosen it";
  const std::vector<Removed> rules{
      {stats.interactions.incomplete + stats.social.incomplete, "clean.incomplete = \"drop\"",
       "say in input.columns which columns hold the user, the item and the weight"},
      {stats.interactions.other_parts, "input.columns.split, by which they are not trained on",
       "name another column, or see that some of its records say train"},
      {stats.interactions.dropped_events, "events to which graph.event_weights gives 0",
       "give one of the events a weight above 0"},
      {stats.clean.decayed, "graph.half_life = " + std::to_string(graph.half_life), "make it longer"},
      {stats.interactions.below_min_weight, "graph.min_weight = " + std::to_string(graph.min_weight), "lower it"},
      {stats.interactions.zero_weight + stats.social.zero_weight,
       fmt::format("weights of zero, which graph.weight = \"{}\" cannot use", word_of(graph.weight)),
       "name another column in input.columns.weight, or set graph.weight = \"binary\""},
      {stats.clean.bot_interactions + stats.clean.bot_social_edges,
       "clean.max_user_interactions = " + std::to_string(clean.max_user_interactions), loosen},
      {stats.clean.core_interactions,
       "clean.min_user_interactions = " + std::to_string(clean.min_user_interactions) +
           " and clean.min_item_interactions = " + std::to_string(clean.min_item_interactions),
       "loosen them"},
      {stats.clean.self_loops, "the rule against social edges of a user with itself",
       "name the right columns in input.columns.source and input.columns.target"},
      {stats.clean.social_only_edges, "clean.social_only_users = \"drop\"", loosen}};
  const auto& most = *std::ranges::max_element(rules, {}, &Removed::count);
  const auto bad_lines = stats.interactions.bad_lines + stats.social.bad_lines;
  if (bad_lines > most.count && !reports.empty()) {
    throw InputError(
        reports.front() + "; " + counted(bad_lines, "line") +
        noun(bad_lines, " is malformed and is", " are malformed and are") + " left out, so that no " + what +
        " is left. Mend them, or say in input.format, input.header and input.columns how the file is written");
  }
  if (most.count == 0) {
    const auto others = std::ssize(files) - 1;
    throw InputError((files.empty() ? "the input" : files.front()) +
                     (others > 0 ? " and " + counted(others, "other file") + " hold" : std::string(" holds")) + " no " +
                     what + ": no line names a pair");
  }
  throw InputError(
      "cleaning leaves no " + what + "; most were removed by " + most.by + ": " + std::to_string(most.count) + " of " +
      std::to_string(std::max(most.count, stats.interactions.records + stats.social.records)) + "; " + most.remedy);
}

// How many different ids of the dictionary the local numbers in `used` stand for, over all ranks. Collective.
std::int64_t count_different(const Communicator& comm, const Distribution& distribution,
                             const std::vector<std::int64_t>& number, const HugeVector<std::uint32_t>& used) {
  std::vector<std::int64_t> global(used.size());
  std::ranges::transform(used, global.begin(), [&](std::uint32_t id) { return number[id]; });
  const auto distinct = distinct_of(global).values;
  std::vector<char> seen(distribution.count(comm.rank()), 0);
  const std::vector<char> ones(distinct.size(), 1);
  IndexPlan(comm, distribution, distinct).set<char>(ones, seen);
  return comm.sum(static_cast<std::int64_t>(std::ranges::count(seen, 1)));
}

std::string times_needed_by(const InputConfig& input, const CleanConfig& clean, const GraphConfig& graph) {
  if (graph.half_life > 0) return "graph.half_life";
  if (input.holdout_last > 0) return "input.holdout_last";
  if (clean.repeats == Repeats::last || clean.repeats == Repeats::first) return "clean.repeats";
  return input.holdout > 0 && input.holdout_split == HoldoutSplit::temporal ? "input.holdout_split = \"temporal\"" : "";
}

RawDataset read_all(const Communicator& comm, const InputConfig& input, const CleanConfig& clean,
                    const GraphConfig& graph, PrepareStats& stats) {
  Stopwatch stopwatch;
  IdInterner users;
  IdInterner items;
  auto rule = weight_rule(clean, graph);
  if (split_column(input)) rule.part = SplitPart::train;
  auto interactions = read_pairs(
      comm, {input.interactions, split_layout(input), rule, clean.max_bad_lines, times_needed_by(input, clean, graph)},
      users, items);
  if (graph.half_life > 0) stats.clean.decayed = decay_weights(comm, interactions.pairs, graph.half_life);
  // Weights of social edges are used as they are.
  auto social =
      read_pairs(comm,
                 {input.social, social_layout(input),
                  WeightRule{0.0, true, {}, clean.incomplete == Incomplete::drop, false}, clean.max_bad_lines, ""},
                 users, users);
  stats.interactions = std::move(interactions.stats);
  stats.social = std::move(social.stats);
  stats.read_seconds = stopwatch.seconds();

  // How many records there are is known only now; those that were read are there already.
  const auto read = std::ssize(interactions.pairs.first);
  const std::int64_t kept = interactions.pairs.has_time ? 20 : 12;
  need_memory(comm, "numbering the interactions", pair_table_bytes(read, interactions.pairs.has_time) - kept * read,
              "fewer of them");

  stopwatch = Stopwatch();
  RawDataset raw;
  auto user_dictionary = build_dictionary(comm, users.take_ids());
  auto item_dictionary = build_dictionary(comm, items.take_ids());
  raw.users = std::move(user_dictionary.table);
  raw.items = std::move(item_dictionary.table);
  stats.users_read = raw.users.total();
  stats.items_read = raw.items.total();
  const auto records = comm.sum(std::ssize(interactions.pairs.first));
  // Those of social files alone do not count; there are too few users for one a record long before that matters.
  const auto users_of_records =
      stats.users_read < records
          ? stats.users_read
          : count_different(comm, raw.users.distribution, user_dictionary.number, interactions.pairs.first);
  std::ranges::move(warn_of_singles(records, users_of_records, stats.items_read),
                    std::back_inserter(stats.interactions.warnings));
  if (stats.interactions.grouped_by_second) {
    std::ranges::move(
        warn_of_swapped_columns(comm, {raw.users.distribution, user_dictionary.number, interactions.pairs.first},
                                {raw.items.distribution, item_dictionary.number, interactions.pairs.second}),
        std::back_inserter(stats.interactions.warnings));
  }
  auto merged = make_pair_table(
      comm, raw.users.distribution,
      with_global_numbers(std::move(interactions.pairs), user_dictionary.number, item_dictionary.number),
      clean.repeats);
  std::ranges::move(warn_of_crowds(comm, raw.users, merged.records, merged.table, clean.max_user_interactions),
                    std::back_inserter(stats.interactions.warnings));
  raw.interactions = std::move(merged.table);
  stats.clean.duplicates = comm.sum(merged.merged);
  raw.social = social_table(
      comm, raw.users.distribution,
      with_global_numbers(std::move(social.pairs), user_dictionary.number, user_dictionary.number), stats.clean);
  stats.dictionary_seconds = stopwatch.seconds();
  return raw;
}

void read_features(const Communicator& comm, const InputConfig& input, Dataset& dataset, PrepareStats& stats) {
  if (input.user_features.empty() && input.item_features.empty()) return;
  // What reading the interactions took; features can be larger.
  release_freed_memory();
  for (const auto& path : input.user_features) {
    dataset.user_features.push_back(read_feature_file(
        comm, dataset.users, {"user", path, input.user_feature_ids, input.encoding}, stats.features.emplace_back()));
  }
  for (const auto& path : input.item_features) {
    dataset.item_features.push_back(read_feature_file(
        comm, dataset.items, {"item", path, input.item_feature_ids, input.encoding}, stats.features.emplace_back()));
  }
}

}  // namespace

PrepareResult prepare(const Communicator& comm, const InputConfig& input, const CleanConfig& clean_options,
                      const GraphConfig& graph, std::uint64_t seed,
                      const std::function<void(const InputReport&)>& on_input) {
  check_options(input);
  PrepareResult result;
  auto& stats = result.stats;
  auto& dataset = result.dataset;
  // First of all, because it finds missing files before the hours of work.
  auto paths = input.interactions;
  paths.insert(paths.end(), input.social.begin(), input.social.end());
  paths.insert(paths.end(), input.test.begin(), input.test.end());
  for (const auto* features : {&input.user_features, &input.item_features}) {
    for (const auto& path : *features) paths.push_back(feature_file_of(path));
  }
  for (const auto* ids : {&input.user_feature_ids, &input.item_feature_ids}) {
    if (!ids->empty()) paths.push_back(*ids);
  }
  DescribedFiles files(comm, paths);
  for (const auto& file : files.files()) stats.bytes += file.bytes;
  stats.input = report_input(comm, input, files);
  if (on_input) on_input(stats.input);

  auto raw = read_all(comm, input, clean_options, graph, stats);
  const Stopwatch stopwatch;
  dataset = clean(comm, std::move(raw), clean_options, stats.clean);
  dataset.files = files.whole();
  const bool interactions_left = comm.sum(dataset.interactions.size()) > 0;
  if (!input.interactions.empty() && !interactions_left) {
    refuse_nothing(stats, input.interactions, clean_options, graph, "interaction");
  }
  if (dataset.users.total() == 0) refuse_nothing(stats, input.social, clean_options, graph, "social edge");

  if (!input.test.empty() || split_column(input)) {
    auto test = read_test_pairs(comm, dataset, input, clean_options, graph);
    dataset.holdout = std::move(test.pairs);
    stats.holdout = std::move(test.stats);
  } else if (input.holdout_last > 0) {
    stats.holdout = hold_last(comm, dataset, input.holdout_last);
  } else if (input.holdout > 0) {
    stats.holdout = input.holdout_split == HoldoutSplit::temporal ? cut_holdout(comm, dataset, input.holdout)
                                                                  : draw_holdout(comm, dataset, input.holdout, seed);
  } else {
    dataset.holdout.row_begin.assign(dataset.users.block_size() + 1, 0);
  }
  read_features(comm, input, dataset, stats);
  stats.holdout.nothing = why_nothing_is_held_out(comm, dataset, input);
  stats.clean_seconds = stopwatch.seconds();
  return result;
}

}  // namespace cohort
