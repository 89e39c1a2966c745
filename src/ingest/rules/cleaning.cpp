#include "ingest/rules/cleaning.hpp"

#include <algorithm>
#include <utility>

#include "comm/index_plan.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/rules/k_core.hpp"

namespace cohort {

namespace {

// Entries of `table` for which keep_entry(row, index) holds, as flags.
template <class Keep>
std::vector<char> flag_entries(const PairTable& table, Keep keep_entry) {
  std::vector<char> keep(table.other.size());
  for (std::size_t r = 0; r + 1 < table.row_begin.size(); ++r) {
    for (auto i = static_cast<std::size_t>(table.row_begin[r]); i < static_cast<std::size_t>(table.row_begin[r + 1]);
         ++i) {
      keep[i] = keep_entry(r, i) ? 1 : 0;
    }
  }
  return keep;
}

bool has_entries(const PairTable& table, std::size_t row) {
  return table.row_begin[row + 1] > table.row_begin[row];
}

std::int64_t count(const std::vector<char>& flags) {
  return std::ranges::count_if(flags, [](char flag) { return flag != 0; });
}

// New numbers of the kept: how many are kept before, over all ranks. Those of the others mean nothing. Collective.
std::vector<std::int64_t> compact_numbers(const Communicator& comm, const std::vector<char>& keep) {
  std::vector<std::int64_t> number(keep.size());
  auto next = comm.exclusive_sum(count(keep));
  for (std::size_t i = 0; i < keep.size(); ++i) {
    number[i] = next;
    next += keep[i];
  }
  return number;
}

// Drops rows that are not kept (they have no entries) and moves the rest to even blocks. Collective.
PairTable settle(const Communicator& comm, PairTable table, const std::vector<char>& keep_row,
                 std::span<const std::int64_t> new_row, const Distribution& to) {
  std::vector<std::int64_t> row_begin{0};
  for (std::size_t r = 0; r < keep_row.size(); ++r) {
    if (keep_row[r]) row_begin.push_back(table.row_begin[r + 1]);
  }
  table.row_begin = std::move(row_begin);
  return move_rows(comm, table, new_row.empty() ? 0 : new_row.front(), to);
}

class Cleaning {
 public:
  Cleaning(const Communicator& comm, RawDataset raw, const CleanConfig& options, CleanStats& stats)
      : comm_(comm), raw_(std::move(raw)), options_(options), stats_(stats), users_(raw_.users.block_size()) {}

  Dataset run() {
    drop_bots();
    take_core();
    clean_social();
    return finish();
  }

 private:
  std::size_t users() const { return static_cast<std::size_t>(users_); }

  void drop_bots() {
    bot_.assign(users(), 0);
    const auto cap = options_.max_user_interactions;
    if (cap <= 0) return;
    std::int64_t interactions = 0;
    for (std::size_t u = 0; u < users(); ++u) {
      const auto has = places_of(raw_.interactions.row_begin, u).size();
      if (has <= cap) continue;
      bot_[u] = 1;
      interactions += has;
    }
    stats_.bot_users = comm_.sum(count(bot_));
    stats_.bot_interactions = comm_.sum(interactions);
    if (stats_.bot_users == 0) return;
    raw_.interactions = keep_entries(
        raw_.interactions, flag_entries(raw_.interactions, [&](std::size_t u, std::size_t) { return !bot_[u]; }));
  }

  void take_core() {
    auto core = k_core(comm_, raw_.interactions, raw_.items.distribution, options_.min_user_interactions,
                       options_.min_item_interactions);
    stats_.core_users = core.users;
    stats_.core_items = core.items;
    stats_.core_interactions = core.interactions;
    stats_.core_rounds = core.rounds;
    core_user_ = std::move(core.dropped_user);
    keep_item_.resize(core.item_left.size());
    std::ranges::transform(core.item_left, keep_item_.begin(), [](std::int64_t left) { return left > 0 ? 1 : 0; });
    if (core.interactions > 0) raw_.interactions = keep_entries(raw_.interactions, core.keep);
    stats_.vanished_items = comm_.sum(std::ssize(keep_item_) - count(keep_item_)) - core.items;
  }

  // Drops edges of users who are not `allowed` and counts each edge once.
  std::int64_t drop_edges(const std::vector<char>& allowed) {
    const auto neighbours = distinct_of(raw_.social.other);
    const IndexPlan plan(comm_, raw_.users.distribution, neighbours.values);
    const auto neighbour_allowed = plan.fetch<char>(allowed);
    std::int64_t dropped = 0;
    const auto first_user = raw_.users.distribution.begin(comm_.rank());
    const auto keep = flag_entries(raw_.social, [&](std::size_t u, std::size_t i) {
      const bool stays = allowed[u] && neighbour_allowed[neighbours.place[i]];
      if (!stays && first_user + static_cast<std::int64_t>(u) < raw_.social.other[i]) ++dropped;
      return stays;
    });
    raw_.social = keep_entries(raw_.social, keep);
    return comm_.sum(dropped);
  }

  void clean_social() {
    if (stats_.bot_users > 0) {
      std::vector<char> allowed(users());
      std::ranges::transform(bot_, allowed.begin(), [](char bot) { return bot ? 0 : 1; });
      stats_.bot_social_edges = drop_edges(allowed);
    }
    social_only_.assign(users(), 0);
    if (options_.social_only_users != SocialOnlyUsers::drop) return;
    std::vector<char> allowed(users());
    for (std::size_t u = 0; u < users(); ++u) {
      allowed[u] = has_entries(raw_.interactions, u) ? 1 : 0;
      social_only_[u] = !allowed[u] && !core_user_[u] && has_entries(raw_.social, u) ? 1 : 0;
    }
    stats_.social_only_users = comm_.sum(count(social_only_));
    stats_.social_only_edges = drop_edges(allowed);
  }

  Dataset finish() {
    std::vector<char> keep_user(users());
    std::int64_t vanished = 0;
    for (std::size_t u = 0; u < users(); ++u) {
      keep_user[u] = has_entries(raw_.interactions, u) || has_entries(raw_.social, u) ? 1 : 0;
      if (!keep_user[u] && !bot_[u] && !core_user_[u] && !social_only_[u]) ++vanished;
    }
    stats_.vanished_users = comm_.sum(vanished);
    const auto new_user = compact_numbers(comm_, keep_user);
    const auto new_item = compact_numbers(comm_, keep_item_);
    renumber(raw_.interactions, raw_.items.distribution, new_item);
    renumber(raw_.social, raw_.users.distribution, new_user);
    Dataset result;
    result.users = keep_ids(comm_, raw_.users, keep_user);
    result.items = keep_ids(comm_, raw_.items, keep_item_);
    // A rank without users has no first row of its own; its empty table goes anywhere.
    const auto& to = result.users.distribution;
    result.interactions = settle(comm_, std::move(raw_.interactions), keep_user, new_user, to);
    result.social = settle(comm_, std::move(raw_.social), keep_user, new_user, to);
    return result;
  }

  void renumber(PairTable& table, const Distribution& owners, std::span<const std::int64_t> new_number) const {
    const auto others = distinct_of(table.other);
    const auto number = IndexPlan(comm_, owners, others.values).fetch<std::int64_t>(new_number);
    for (std::size_t i = 0; i < table.other.size(); ++i) table.other[i] = number[others.place[i]];
  }

  const Communicator& comm_;
  RawDataset raw_;
  const CleanConfig& options_;
  CleanStats& stats_;
  std::int64_t users_;             // in this rank's block of the whole dictionary, as all that follows
  std::vector<char> bot_;          // above the cap
  std::vector<char> core_user_;    // fell out of the k-core
  std::vector<char> social_only_;  // dropped for having social edges only
  std::vector<char> keep_item_;
};

}  // namespace

PairTable social_table(const Communicator& comm, const Distribution& users, RawPairs lines, CleanStats& stats) {
  // Both ends of an edge need it. The lowest bit of `other` says whether the line said row -> other or the reverse.
  RawPairs both;
  std::int64_t loops = 0;
  for (std::size_t i = 0; i < lines.row.size(); ++i) {
    const auto a = lines.row[i];
    const auto b = lines.other[i];
    if (a == b) {
      ++loops;
      continue;
    }
    both.row.insert(both.row.end(), {a, b});
    both.other.insert(both.other.end(), {2 * b, 2 * a + 1});
    both.weight.insert(both.weight.end(), 2, lines.weight[i]);
  }
  const auto kept_lines = std::ssize(both.row) / 2;
  lines = {};
  const auto directed = make_pair_table(comm, users, std::move(both)).table;
  PairTable table;
  for (std::size_t r = 0; r + 1 < directed.row_begin.size(); ++r) {
    const auto end = static_cast<std::size_t>(directed.row_begin[r + 1]);
    for (auto i = static_cast<std::size_t>(directed.row_begin[r]); i < end; ++i) {
      const auto other = directed.other[i] / 2;
      auto weight = directed.weight[i];
      if (i + 1 < end && directed.other[i + 1] / 2 == other) weight = std::max(weight, directed.weight[++i]);
      table.other.push_back(other);
      table.weight.push_back(weight);
    }
    table.row_begin.push_back(table.size());
  }
  stats.self_loops = comm.sum(loops);
  stats.social_duplicates = comm.sum(kept_lines) - comm.sum(table.size()) / 2;
  return table;
}

Dataset clean(const Communicator& comm, RawDataset raw, const CleanConfig& options, CleanStats& stats) {
  return Cleaning(comm, std::move(raw), options, stats).run();
}

}  // namespace cohort
