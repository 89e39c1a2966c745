#include "assign/newcomers.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "data/pair_table.hpp"
#include "graph/edge_weights.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/records/pair_reader.hpp"
#include "ingest/rules/decay.hpp"

namespace cohort {

namespace {

// The first id of a table that is distributed over the ranks, or an empty text. Collective.
std::string first_id(const Communicator& comm, const IdTable& ids) {
  const int owner = comm.min(ids.block_size() > 0 ? comm.rank() : comm.size());
  if (owner == comm.size()) return {};
  return comm.broadcast(owner == comm.rank() ? std::string(ids[0]) : std::string(), owner);
}

// Of every different item of the files (this rank's block of `all`): its number in `items`, or -1 - its number in `all`
// where the model does not know it. Collective.
std::vector<std::int64_t> item_numbers(const Communicator& comm, const IdTable& items,
                                       const std::vector<std::int64_t>& item_users, const IdTable& all) {
  auto number = find_ids(comm, items, all);
  std::vector<std::int64_t> found;
  std::ranges::copy_if(number, std::back_inserter(found), [](std::int64_t n) { return n >= 0; });
  const auto distinct = distinct_of(found);
  const auto users = IndexPlan(comm, items.distribution, distinct.values).fetch<std::int64_t>(item_users);
  std::size_t at = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const bool known = number[i] >= 0 && users[distinct.place[at++]] > 0;
    if (!known) number[i] = -1 - (all.distribution.begin(comm.rank()) + static_cast<std::int64_t>(i));
  }
  return number;
}

// Parts known and unknown items; takes edges that weigh nothing out.
void part_items(const PairTable& pairs, const EdgeWeights& weights, Newcomers& result) {
  for (std::int64_t u = 0; u < pairs.rows(); ++u) {
    std::int64_t unknown = 0;
    const auto end = static_cast<std::size_t>(pairs.row_begin[static_cast<std::size_t>(u) + 1]);
    for (auto k = static_cast<std::size_t>(pairs.row_begin[static_cast<std::size_t>(u)]); k < end; ++k) {
      if (pairs.other[k] < 0) {
        ++unknown;
        continue;
      }
      const auto weight = weights.interaction(pairs.weight[k]);
      if (weight == 0) continue;
      result.edges.other.push_back(pairs.other[k]);
      result.edges.weight.push_back(weight);
    }
    result.edges.row_begin.push_back(result.edges.size());
    result.unknown.push_back(unknown);
  }
}

}  // namespace

Newcomers read_newcomers(const Communicator& comm, const NewcomerFiles& files, const IdTable& items,
                         const std::vector<std::int64_t>& item_users) {
  Newcomers result;
  IdInterner user_ids;
  IdInterner item_ids;
  PairFiles pair_files{files.input.interactions, interactions_layout(files.input),
                       weight_rule(files.clean, files.graph), files.clean.max_bad_lines, ""};
  pair_files.layout.settable = false;  // the configuration is the result's
  pair_files.layout.has_format_option = true;
  auto read = read_pairs(comm, pair_files, user_ids, item_ids);
  result.read = std::move(read.stats);
  // Files without times are taken to be of today.
  if (files.graph.half_life > 0 && read.pairs.has_time) decay_weights(comm, read.pairs, files.graph.half_life);
  auto users = build_dictionary(comm, user_ids.take_ids());
  const auto file_items = build_dictionary(comm, item_ids.take_ids());
  const auto number = item_numbers(comm, items, item_users, file_items.table);
  const auto local = distinct_of(file_items.number);
  const auto local_number =
      IndexPlan(comm, file_items.table.distribution, local.values).fetch(std::span<const std::int64_t>(number));

  RawPairs raw;
  comm.attempt([&] {
    for (std::size_t i = 0; i < read.pairs.first.size(); ++i) {
      raw.row.push_back(users.number[read.pairs.first[i]]);
      raw.other.push_back(local_number[local.place[read.pairs.second[i]]]);
    }
    raw.weight = std::move(read.pairs.weight);
  });
  read.pairs = {};
  const auto pairs = make_pair_table(comm, users.table.distribution, std::move(raw)).table;
  comm.attempt([&] { part_items(pairs, EdgeWeights(files.graph), result); });
  result.users = std::move(users.table);
  result.known_pairs = comm.sum(result.edges.size());
  std::int64_t unknown = 0;
  for (const auto count : result.unknown) unknown += count;
  result.unknown_pairs = comm.sum(unknown);
  result.unknown_items = comm.sum(std::ranges::count_if(number, [](std::int64_t n) { return n < 0; }));
  if (result.known_pairs == 0) {
    const auto in_file = first_id(comm, file_items.table);
    const auto in_result = first_id(comm, items);
    const auto& name = files.input.interactions.front();
    throw InputError(in_file.empty() ? name + " holds no interaction that counts: no line names a pair of enough weight"
                                     : name + ": none of its items (" + with_commas(file_items.table.total()) + ")" +
                                           " is among those that the model was trained on; ids must be the same: " +
                                           "the files have \"" + in_file + "\", the model has \"" + in_result + "\"");
  }
  return result;
}

}  // namespace cohort
