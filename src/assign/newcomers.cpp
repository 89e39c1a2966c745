#include "assign/newcomers.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "data/pair_table.hpp"
#include "graph/edge_weights.hpp"
#include "ingest/features/feature_files.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/pair_reader.hpp"
#include "ingest/rules/cleaning.hpp"
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
    const auto end = static_cast<std::size_t>(pairs.row_begin[u + 1]);
    for (auto k = static_cast<std::size_t>(pairs.row_begin[u]); k < end; ++k) {
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

LayoutRequest for_assign(LayoutRequest layout) {
  layout.settable = false;  // the configuration is the result's
  layout.has_format_option = true;
  return layout;
}

[[noreturn]] void refuse_nothing_known(const Communicator& comm, const std::string& file, const IdTable& of_file,
                                       const IdTable& of_model, const char* of) {
  const auto in_file = first_id(comm, of_file);
  const auto in_result = first_id(comm, of_model);
  throw InputError(file + ": none of its " + of + "s (" + with_commas(of_file.total()) + ")" +
                   " is among those that the model was trained on; ids must be the same: the files have \"" + in_file +
                   "\", the model has \"" + in_result + "\"");
}

// Records of interactions, by local numbers, and their items.
struct ReadInteractions {
  LocalPairs pairs;
  Dictionary items;
};

// Friendships by numbers of their own dictionary.
struct ReadFriendships {
  IdTable people;
  std::vector<std::int64_t> of_graph;  // of this rank's people: the user's number, -1: the model does not know it
  PairTable edges;                     // both directions
};

class Reading {
 public:
  Reading(const Communicator& comm, const NewcomerFiles& files, const KnownNodes& known)
      : comm_(comm), files_(files), known_(known) {}

  Newcomers run() {
    auto interactions = read_interactions();
    const auto friendships = read_friendships();
    const auto ids_of_features = read_ids_of_features();
    auto users = build_dictionary(comm_, user_ids_.take_ids());
    result_.users = std::move(users.table);
    take_interactions(std::move(interactions), users.number);
    take_friendships(friendships);
    take_features(ids_of_features);
    return std::move(result_);
  }

 private:
  ReadInteractions read_interactions() {
    const auto& input = files_.input;
    if (input.interactions.empty()) return {};
    IdInterner item_ids;
    const PairFiles pair_files{input.interactions, for_assign(interactions_layout(input)),
                               weight_rule(files_.clean, files_.graph), files_.clean.max_bad_lines, ""};
    auto read = read_pairs(comm_, pair_files, user_ids_, item_ids);
    result_.read = std::move(read.stats);
    // Files without times are taken to be of today.
    if (files_.graph.half_life > 0 && read.pairs.has_time) {
      decay_weights(comm_, read.pairs, files_.graph.half_life);
    }
    return {std::move(read.pairs), build_dictionary(comm_, item_ids.take_ids())};
  }

  ReadFriendships read_friendships() {
    const auto& input = files_.input;
    if (input.social.empty()) return {};
    IdInterner ids;
    const PairFiles pair_files{input.social, for_assign(social_layout(input)),
                               WeightRule{0.0, true, {}, files_.clean.incomplete == Incomplete::drop, false},
                               files_.clean.max_bad_lines, ""};
    auto read = read_pairs(comm_, pair_files, ids, ids);
    result_.social = std::move(read.stats);
    const auto local = ids.take_ids();
    const auto known = find_ids(comm_, *known_.users, local);
    auto dictionary = build_dictionary(comm_, local);
    RawPairs lines;
    comm_.attempt([&] {
      const auto& first = read.pairs.first;
      const auto& second = read.pairs.second;
      for (std::size_t i = 0; i < first.size(); ++i) {
        lines.row.push_back(dictionary.number[first[i]]);
        lines.other.push_back(dictionary.number[second[i]]);
        if (first[i] == second[i]) continue;
        const bool between_known = known[first[i]] >= 0 && known[second[i]] >= 0;
        if (known[first[i]] < 0 || between_known) user_ids_.intern(make_token(local[first[i]]));
        if (known[second[i]] < 0) user_ids_.intern(make_token(local[second[i]]));
      }
      lines.weight = std::move(read.pairs.weight);
    });
    ReadFriendships result;
    CleanStats ignored;
    result.edges = social_table(comm_, dictionary.table.distribution, std::move(lines), ignored);
    result.people = std::move(dictionary.table);
    result.of_graph = find_ids(comm_, *known_.users, result.people);
    return result;
  }

  FeatureSource source(const std::string& path) const {
    return {"user", path, files_.input.user_feature_ids, files_.input.encoding};
  }

  // By file.
  std::vector<IdTable> read_ids_of_features() {
    std::vector<IdTable> result;
    for (const auto& path : files_.input.user_features) {
      const auto& ids = result.emplace_back(read_feature_ids(comm_, *known_.users, source(path)));
      const auto known = find_ids(comm_, *known_.users, ids);
      comm_.attempt([&] {
        for (std::size_t i = 0; i < known.size(); ++i) {
          if (known[i] < 0) user_ids_.intern(make_token(ids[static_cast<std::int64_t>(i)]));
        }
      });
    }
    return result;
  }

  void take_interactions(ReadInteractions read, const std::vector<std::int64_t>& user_number) {
    const auto users = result_.users.block_size();
    if (files_.input.interactions.empty()) {
      result_.edges.row_begin.assign(static_cast<std::size_t>(users + 1), 0);
      result_.unknown.assign(static_cast<std::size_t>(users), 0);
      return;
    }
    const auto& pairs = read.pairs;
    const auto& items = read.items;
    const auto number = item_numbers(comm_, *known_.items, *known_.item_users, items.table);
    const auto local = distinct_of(items.number);
    const auto local_number =
        IndexPlan(comm_, items.table.distribution, local.values).fetch(std::span<const std::int64_t>(number));
    RawPairs raw;
    comm_.attempt([&] {
      for (std::size_t i = 0; i < pairs.first.size(); ++i) {
        raw.row.push_back(user_number[pairs.first[i]]);
        raw.other.push_back(local_number[local.place[pairs.second[i]]]);
      }
      raw.weight = std::move(read.pairs.weight);
    });
    const auto repeats = files_.clean.repeats;
    const bool by_time = repeats == Repeats::last || repeats == Repeats::first;
    raw.has_time = by_time && read.pairs.has_time;
    if (raw.has_time) raw.time = std::move(read.pairs.time);
    const bool timed = raw.has_time;
    auto merged = make_pair_table(comm_, result_.users.distribution, std::move(raw), repeats);
    if (by_time && !timed && comm_.sum(merged.merged) > 0) {
      throw InputError(files_.input.interactions.front() +
                       ": a user has an item several times, of which clean.repeats of the result takes the " +
                       (repeats == Repeats::last ? "last" : "first") +
                       ", but there are no times; write them, or each pair once");
    }
    const auto table = std::move(merged.table);
    comm_.attempt([&] { part_items(table, EdgeWeights(files_.graph), result_); });
    result_.known_pairs = comm_.sum(result_.edges.size());
    std::int64_t unknown = 0;
    for (const auto count : result_.unknown) unknown += count;
    result_.unknown_pairs = comm_.sum(unknown);
    result_.unknown_items = comm_.sum(std::ranges::count_if(number, [](std::int64_t n) { return n < 0; }));
    if (result_.known_pairs > 0) return;
    const auto& name = files_.input.interactions.front();
    if (items.table.total() == 0) {
      throw InputError(name + " holds no interaction that counts: no line names a pair of enough weight");
    }
    refuse_nothing_known(comm_, name, items.table, *known_.items, "item");
  }

  void take_friendships(const ReadFriendships& read) {
    result_.friends.row_begin.assign(static_cast<std::size_t>(result_.users.block_size() + 1), 0);
    if (files_.input.social.empty()) return;
    const auto newcomer = find_ids(comm_, result_.users, read.people);
    const auto others = distinct_of(read.edges.other);
    const auto known =
        IndexPlan(comm_, read.people.distribution, others.values).fetch(std::span<const std::int64_t>(read.of_graph));
    const EdgeWeights weights(files_.graph);
    RawPairs raw;
    std::int64_t unknown = 0;
    comm_.attempt([&] {
      for (std::int64_t row = 0; row < read.edges.rows(); ++row) {
        if (newcomer[row] < 0) continue;
        for (const auto k : places_of(read.edges.row_begin, row)) {
          const auto other = known[others.place[k]];
          if (other < 0) {
            ++unknown;
            continue;
          }
          const auto weight = weights.social(read.edges.weight[k]);
          if (weight == 0) continue;
          raw.row.push_back(newcomer[row]);
          raw.other.push_back(other);
          raw.weight.push_back(weight);
        }
      }
    });
    result_.friends = make_pair_table(comm_, result_.users.distribution, std::move(raw)).table;
    result_.known_friends = comm_.sum(result_.friends.size());
    result_.unknown_friends = comm_.sum(unknown);
    if (comm_.any(std::ranges::any_of(read.of_graph, [](std::int64_t number) { return number >= 0; }))) return;
    const auto& name = files_.input.social.front();
    if (read.people.total() == 0) throw InputError(name + " holds no friendship of any weight");
    refuse_nothing_known(comm_, name, read.people, *known_.users, "user");
  }

  void take_features(const std::vector<IdTable>& ids) {
    for (std::size_t f = 0; f < ids.size(); ++f) {
      const auto& path = files_.input.user_features[f];
      const auto number = find_ids(comm_, result_.users, ids[f]);
      if (!comm_.any(std::ranges::any_of(number, [](std::int64_t n) { return n >= 0; }))) {
        throw InputError(path + ": all of its users are in the graph already, and no file of interactions or " +
                         "friendships names one of them to be placed anew");
      }
      FeatureStats stats;
      result_.features.push_back(read_feature_file(comm_, result_.users, source(path), stats));
      result_.passed_over += stats.unknown;
    }
  }

  const Communicator& comm_;
  const NewcomerFiles& files_;
  const KnownNodes& known_;
  IdInterner user_ids_;
  Newcomers result_;
};

}  // namespace

Newcomers read_newcomers(const Communicator& comm, const NewcomerFiles& files, const KnownNodes& known) {
  return Reading(comm, files, known).run();
}

}  // namespace cohort
