#include "ingest/rules/holdout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "data/pair_table.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort {

namespace {

// Splits dataset.interactions by flags and counts what became of users and items. Collective.
HoldoutStats set_aside(const Communicator& comm, Dataset& dataset, const std::vector<char>& train) {
  std::vector<char> held(train.size());
  std::ranges::transform(train, held.begin(), [](char flag) { return flag ? 0 : 1; });
  dataset.holdout = keep_entries(dataset.interactions, held);
  dataset.interactions = keep_entries(dataset.interactions, train);

  HoldoutStats stats;
  stats.pairs = comm.sum(dataset.holdout.size());
  const auto distinct = distinct_of(dataset.interactions.other).values;
  std::vector<char> trained(dataset.items.block_size(), 0);
  const std::vector<char> ones(distinct.size(), 1);
  IndexPlan(comm, dataset.items.distribution, distinct).set<char>(ones, trained);
  stats.items_without_training = comm.sum(static_cast<std::int64_t>(std::ranges::count(trained, 0)));
  return stats;
}

// Unsigned numbers in the order of the times (Herf, "Radix tricks", 2001), and back; both zeros are the same.
std::uint64_t sortable(double time) {
  const auto bits = std::bit_cast<std::uint64_t>(time + 0.0);
  return bits >> 63 ? ~bits : bits | (std::uint64_t{1} << 63);
}
double time_of(std::uint64_t key) {
  return std::bit_cast<double>(key >> 63 ? key & ~(std::uint64_t{1} << 63) : ~key);
}

// The number at place `place` (from 0) of all times in ascending order: four rounds, each of which counts the next 16
// bits of those that are still candidates. Collective.
double select_time(const Communicator& comm, std::span<const double> times, std::int64_t place) {
  constexpr int digit_bits = 16;
  std::uint64_t prefix = 0;
  for (int shift = 64 - digit_bits; shift >= 0; shift -= digit_bits) {
    std::vector<std::int64_t> counts(std::size_t{1} << digit_bits, 0);
    const auto above = shift + digit_bits;
    for (const auto time : times) {
      const auto key = sortable(time);
      if (above < 64 && (key ^ prefix) >> above) continue;
      ++counts[(key >> shift) & (counts.size() - 1)];
    }
    comm.sum_in_place(std::span<std::int64_t>(counts));
    std::uint64_t digit = 0;
    while (place >= counts[digit]) place -= counts[digit++];
    prefix |= digit << shift;
  }
  return time_of(prefix);
}

// Interactions that a temporal hold-out of this share takes at most.
std::int64_t held_at_most(double share, std::int64_t interactions) {
  return static_cast<std::int64_t>(std::floor(share * static_cast<double>(interactions)));
}

// 1 for every entry of `pairs` that is not among the interactions of its user; both ascend within a row. Local.
std::vector<char> not_trained(const PairTable& interactions, const PairTable& pairs) {
  std::vector<char> keep;
  for (std::int64_t u = 0; u < pairs.rows(); ++u) {
    const auto trained = interactions.row(u);
    for (const auto item : pairs.row(u)) keep.push_back(std::ranges::binary_search(trained, item) ? 0 : 1);
  }
  return keep;
}

// Throws where no user or no item of the test pairs is known. records: before merging, with those of unknown users.
// Collective.
void refuse_strangers(const Communicator& comm, const Dataset& dataset, const PairFiles& files,
                      const HoldoutStats& stats, std::int64_t records, const PairTable& pairs) {
  const auto& paths = files.paths;
  const auto name = paths.size() == 1 ? paths.front() : paths.front() + " and the other test files";
  const auto known_items = comm.sum(std::ranges::count_if(pairs.other, [](auto item) { return item >= 0; }));
  if (records == 0) {
    const auto dropped = stats.read.dropped_events + stats.read.below_min_weight + stats.read.zero_weight;
    throw InputError(name + ": there is no pair to test with" +
                     (dropped > 0 ? "; graph.event_weights, graph.min_weight or graph.weight leave out all: " +
                                        counted(dropped, "record")
                                  : std::string()));
  }
  const std::string who = files.layout.settable ? "input.columns says" : "a header with user and item says";
  const auto check = "; the ids must be written as in the interactions (the columns may also be read as others than " +
                     ("they are: " + who) + " which is which)";
  if (comm.sum(pairs.size()) == 0) {
    throw InputError(name + ": none of its users is among the " + counted(dataset.users.total(), "user") +
                     " trained on" + check);
  }
  if (known_items == 0) {
    throw InputError(name + ": none of the items of its known users is among the " +
                     counted(dataset.items.total(), "item") + " trained on" + check);
  }
}

}  // namespace

TestPairs read_test_pairs(const Communicator& comm, const Dataset& dataset, const InputConfig& input,
                          const CleanConfig& clean, const GraphConfig& graph, bool settable) {
  TestPairs result;
  IdInterner users;
  IdInterner items;
  PairFiles files{input.test, interactions_layout(input), weight_rule(clean, graph), clean.max_bad_lines, ""};
  files.layout.settable = settable;
  const bool by_split = input.test.empty();
  if (by_split) {
    files.paths = input.interactions;
    files.layout = split_layout(input);
    files.rule.part = SplitPart::test;
  }
  auto read = read_pairs(comm, files, users, items);
  result.stats.read = std::move(read.stats);
  if (by_split) {
    // What is wrong with lines was said when the others were read.
    auto& again = result.stats.read;
    again.bad_lines = again.incomplete = again.repeated_headers = 0;
    again.bad_line_reports.clear();
    again.warnings.clear();
    again.lines = again.records;
    if (again.records == 0) {
      result.pairs.row_begin.assign(dataset.users.block_size() + 1, 0);
      return result;
    }
  }

  const auto user_number = find_ids(comm, dataset.users, users.take_ids());
  const auto item_ids = items.take_ids();
  auto item_number = find_ids(comm, dataset.items, item_ids);
  // Unknown items need numbers among themselves, so that repeats of a pair merge: -1, -2, ...
  const auto test_number = build_dictionary(comm, item_ids).number;
  for (std::size_t i = 0; i < item_number.size(); ++i) {
    if (item_number[i] < 0) item_number[i] = -1 - test_number[i];
  }
  RawPairs raw;
  raw.has_time = read.pairs.has_time;
  std::int64_t unknown_users = 0;
  for (std::size_t i = 0; i < read.pairs.first.size(); ++i) {
    const auto user = user_number[read.pairs.first[i]];
    if (user < 0) {
      ++unknown_users;
      continue;
    }
    raw.row.push_back(user);
    raw.other.push_back(item_number[read.pairs.second[i]]);
    raw.weight.push_back(read.pairs.weight[i]);
    if (raw.has_time) raw.time.push_back(read.pairs.time[i]);
  }
  read.pairs = {};
  auto& stats = result.stats;
  const auto records = comm.sum(std::ssize(raw.row) + unknown_users);
  stats.unknown_user_pairs = comm.sum(unknown_users);
  auto merged = make_pair_table(comm, dataset.users.distribution, std::move(raw));
  stats.repeated_pairs = comm.sum(merged.merged);
  refuse_strangers(comm, dataset, files, stats, records, merged.table);
  std::vector<char> keep;
  comm.attempt([&] { keep = not_trained(dataset.interactions, merged.table); });
  stats.trained_pairs = comm.sum(static_cast<std::int64_t>(std::ranges::count(keep, 0)));
  result.pairs = keep_entries(merged.table, keep);
  for (auto& other : result.pairs.other) other = std::max<std::int64_t>(other, -1);
  stats.unknown_item_pairs = comm.sum(std::ranges::count(result.pairs.other, -1));
  stats.pairs = comm.sum(result.pairs.size());
  return result;
}

std::string why_nothing_is_held_out(const Communicator& comm, const Dataset& dataset, const InputConfig& input) {
  if (comm.sum(dataset.holdout.size()) > 0) return "";
  if (split_column(input)) {
    return "no record that input.columns.split says test of is another one than those that are trained on";
  }
  if (!input.test.empty()) return "every pair of input.test is one of the interactions that are trained on";
  if (!(input.holdout > 0) && input.holdout_last == 0) return "";
  const auto& all = dataset.interactions;
  const auto total = comm.sum(all.size());
  std::int64_t users = 0;
  std::int64_t most = 0;
  for (std::int64_t u = 0; u < all.rows(); ++u) {
    users += all.row(u).empty() ? 0 : 1;
    most = std::max(most, std::ssize(all.row(u)));
  }
  users = comm.sum(users);
  if (comm.max(most) <= 1) return "every user has one interaction only, and the last one of a user is not held out";
  const auto share = "a share of " + fmt::format("{:g}", input.holdout) + " (input.holdout)";
  const auto of_all = share + " of " + counted(total, "interaction");
  if (input.holdout_split != HoldoutSplit::temporal) {
    return "the draw of " + of_all + " took none of them that is not the last one of its user";
  }
  const auto held = held_at_most(input.holdout, total);
  if (held == 0) return of_all + " is less than one";
  const auto latest = select_time(comm, all.time, total - 1);
  if (select_time(comm, all.time, 0) == latest) {
    return "all interactions have the same time, so none of them came last (input.holdout_split = \"temporal\")";
  }
  if (select_time(comm, all.time, total - held - 1) == latest) {
    const auto at_latest = comm.sum(static_cast<std::int64_t>(std::ranges::count(all.time, latest)));
    return counted(at_latest, "interaction shares", "interactions share") + " the latest time, " +
           fmt::format("{:.17g}", latest) + ", more than " + of_all + ", and none of them came last";
  }
  return "what came last is the first interaction of each of its users, which is not held out";
}

HoldoutStats draw_holdout(const Communicator& comm, Dataset& dataset, double share, std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::holdout);
  COHORT_CHECK(dataset.items.total() <= (std::int64_t{1} << 32), "item numbers are 32-bit counters");
  const auto& all = dataset.interactions;
  const auto first_user = dataset.users.distribution.begin(comm.rank());
  std::vector<char> train(all.other.size(), 1);
  for (std::int64_t u = 0; u < all.rows(); ++u) {
    const auto begin = static_cast<std::size_t>(all.row_begin[u]);
    const auto end = static_cast<std::size_t>(all.row_begin[u + 1]);
    double largest = -1;
    std::size_t last = begin;
    bool any_left = false;
    for (auto i = begin; i < end; ++i) {
      const auto drawn =
          random.uniform(static_cast<std::uint64_t>(first_user + u), static_cast<std::uint32_t>(all.other[i]));
      train[i] = drawn < share ? 0 : 1;
      any_left = any_left || train[i];
      if (drawn > largest) {
        largest = drawn;
        last = i;
      }
    }
    if (!any_left && begin < end) train[last] = 1;
  }
  return set_aside(comm, dataset, train);
}

HoldoutStats hold_last(const Communicator& comm, Dataset& dataset, std::int64_t count) {
  const auto& all = dataset.interactions;
  COHORT_CHECK(all.time.size() == all.other.size(), "the latest interactions need times");
  std::vector<char> train(all.other.size(), 1);
  std::vector<std::int64_t> order;
  for (std::size_t u = 0; u + 1 < all.row_begin.size(); ++u) {
    order.resize(places_of(all.row_begin, u).size());
    std::iota(order.begin(), order.end(), all.row_begin[u]);
    // Items ascend within a row, so of one time those of the largest numbers go first.
    std::ranges::stable_sort(order, {}, [&](std::int64_t i) { return all.time[i]; });
    const auto kept = std::max<std::int64_t>(1, std::ssize(order) - count);
    for (auto i = kept; i < std::ssize(order); ++i) train[order[i]] = 0;
  }
  return set_aside(comm, dataset, train);
}

HoldoutStats cut_holdout(const Communicator& comm, Dataset& dataset, double share) {
  const auto& all = dataset.interactions;
  const auto total = comm.sum(all.size());
  COHORT_CHECK(total > 0 && share >= 0 && share < 1, "a temporal hold-out needs interactions and a share below 1");
  COHORT_CHECK(all.time.size() == all.other.size(), "a temporal hold-out needs times");
  const auto held = held_at_most(share, total);
  const auto cut = select_time(comm, all.time, total - held - 1);
  std::vector<char> train(all.other.size());
  std::ranges::transform(all.time, train.begin(), [&](double time) { return time > cut ? 0 : 1; });
  std::int64_t users_after_cut = 0;
  for (std::size_t u = 0; u + 1 < all.row_begin.size(); ++u) {
    const auto begin = all.time.begin() + all.row_begin[u];
    const auto end = all.time.begin() + all.row_begin[u + 1];
    if (begin == end) continue;
    const auto earliest = std::min_element(begin, end);
    if (*earliest <= cut) continue;
    train[earliest - all.time.begin()] = 1;
    ++users_after_cut;
  }
  auto stats = set_aside(comm, dataset, train);
  stats.cut = cut;
  stats.users_after_cut = comm.sum(users_after_cut);
  return stats;
}

}  // namespace cohort
