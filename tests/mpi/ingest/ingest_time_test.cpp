// Weights of events, decay by age and the temporal hold-out against plain references, at any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <sstream>

#include "ingest/prepare.hpp"
#include "ingest/rules/holdout.hpp"
#include "support/ingest_reference.hpp"
#include "support/ingest_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

struct Event {
  Line line;
  std::string kind;
};

constexpr double day = 86'400;

std::vector<Event> random_events(int count, unsigned seed) {
  std::mt19937 random(seed);
  const std::vector<std::string> kinds{"view", "click", "purchase", "page shown"};
  std::vector<Event> events;
  for (int i = 0; i < count; ++i) {
    Line line{"u" + std::to_string(random() % 70), std::to_string(random() % 40),
              0.25 * static_cast<double>(1 + random() % 12), 1.6e9 + 3600.0 * static_cast<double>(random() % 2400)};
    events.push_back({line, kinds[random() % kinds.size()]});
  }
  return events;
}

std::string written(const std::vector<Event>& events) {
  std::ostringstream text;
  text.precision(17);
  text << "event_type,user_id,item_id,rating,timestamp\n";
  for (const auto& [line, kind] : events) {
    text << kind << ',' << line.user << ',' << line.item << ',' << line.weight << ',' << line.time << '\n';
  }
  return text.str();
}

InputConfig reading(std::vector<std::string> paths) {
  InputConfig input;
  input.interactions = std::move(paths);
  return input;
}

TEST(OverTime, EventsAndAgeWeighRecordByRecord) {
  const Scratch scratch;
  const auto events = random_events(2500, 1);
  const std::vector<Event> first(events.begin(), events.begin() + 900);
  const std::vector<Event> second(events.begin() + 900, events.end());
  const auto input =
      reading({scratch.write("1.csv", written(first)), scratch.write("2.csv.gz", gzipped(written(second)))});
  GraphConfig graph;
  graph.weight = EdgeWeighting::raw;
  graph.event_weights = {{"click", 2.0}, {"page shown", 0.0}, {"purchase", 5.3}, {"view", 0.5}};
  graph.min_weight = 0.3;
  graph.half_life = 12.5;

  std::int64_t dropped = 0;
  std::int64_t weak = 0;
  double latest = 0;
  std::vector<Line> kept;
  for (const auto& [line, kind] : events) {
    double factor = 0;
    for (const auto& [name, value] : graph.event_weights) factor = name == kind ? value : factor;
    if (factor == 0) {
      ++dropped;
      continue;
    }
    const auto weight = static_cast<float>(static_cast<double>(static_cast<float>(line.weight)) * factor);
    if (weight < static_cast<float>(graph.min_weight)) {
      ++weak;
      continue;
    }
    kept.push_back(line);
    kept.back().weight = static_cast<double>(weight);
    latest = std::max(latest, line.time);
  }
  for (auto& line : kept) line.weight *= std::exp2(-(latest - line.time) / (graph.half_life * day));
  const auto wanted = reference(kept, {}, {});

  const auto result = prepare(world(), input, {}, graph, 1);
  const auto got = whole(result.dataset);
  EXPECT_EQ(got.users, wanted.users);
  EXPECT_EQ(got.interactions, wanted.interactions);
  EXPECT_GT(dropped, 0);
  EXPECT_GT(weak, 0);
  EXPECT_EQ(result.stats.interactions.dropped_events, dropped);
  EXPECT_EQ(result.stats.interactions.below_min_weight, weak);
  EXPECT_EQ(result.stats.interactions.records, std::ssize(events));
  EXPECT_EQ(result.stats.clean.decayed, 0);
}

TEST(OverTime, HalfAfterAHalfLifeAndGoneAtLast) {
  const Scratch scratch;
  const auto at = [](double days) { return std::to_string(static_cast<std::int64_t>(1.5e9 - days * day)); };
  const auto path = scratch.write("a.tsv", "1\ta\t8\t" + at(0) + "\n1\tb\t8\t" + at(3) + "\n2\ta\t8\t" + at(6) +
                                               "\n2\ta\t2\t" + at(0) + "\n3\tc\t1\t" + at(3 * 126) + "\n4\tc\t1\t" +
                                               at(3 * 127) + "\n5\td\t1\t" + at(9000) + "\n");
  GraphConfig graph;
  graph.weight = EdgeWeighting::log;
  graph.half_life = 3;
  const auto result = prepare(world(), reading({path}), {}, graph, 1);
  const auto got = whole(result.dataset);
  const std::map<IdPair, std::pair<float, double>> wanted{{{"1", "a"}, {8.F, 1.5e9}},
                                                          {{"1", "b"}, {4.F, 1.5e9 - 3 * day}},
                                                          {{"2", "a"}, {4.F, 1.5e9}},
                                                          {{"3", "c"}, {std::ldexp(1.F, -126), 1.5e9 - 378 * day}}};
  EXPECT_EQ(got.interactions, wanted);
  EXPECT_EQ(result.stats.clean.decayed, 2);
  EXPECT_EQ(result.stats.clean.vanished_users, 2);
  EXPECT_EQ(result.stats.clean.vanished_items, 1);
}

TEST(OverTime, BinaryGraphsDropEventsOnly) {
  const Scratch scratch;
  auto events = random_events(300, 2);
  const auto path = scratch.write("e.csv", written(events));
  GraphConfig graph;
  graph.event_weights = {{"click", 0.0}, {"page shown", 0.0}, {"purchase", 1.0}, {"view", 0.0}};
  std::erase_if(events, [](const Event& event) { return event.kind != "purchase"; });
  std::vector<Line> lines;
  for (const auto& event : events) lines.push_back(event.line);
  EXPECT_EQ(whole(prepare(world(), reading({path}), {}, graph, 1).dataset).interactions,
            reference(lines, {}, {}).interactions);
}

TEST(OverTime, TestFilesFollowTheSameEvents) {
  const Scratch scratch;
  auto input = reading({scratch.write("train.csv", "user,item,action\n1,a,view\n1,b,buy\n2,c,view\n")});
  input.test = {scratch.write("test.csv", "action,user,item\nview,2,a\nbuy,2,b\nbuy,1,new\n")};
  GraphConfig graph;
  graph.weight = EdgeWeighting::raw;
  graph.event_weights = {{"buy", 4.0}, {"view", 1.0}};
  const std::multimap<IdPair, std::pair<float, double>> all{
      {{"1", ""}, {4.F, 0.}}, {{"2", "a"}, {1.F, 0.}}, {{"2", "b"}, {4.F, 0.}}};
  EXPECT_EQ(whole(prepare(world(), input, {}, graph, 1).dataset).holdout, all);
  graph.event_weights[1].second = 0;
  input.interactions = {scratch.write("both.csv", "user,item,action\n1,a,buy\n1,b,buy\n2,a,buy\n")};
  const std::multimap<IdPair, std::pair<float, double>> bought{{{"1", ""}, {4.F, 0.}}, {{"2", "b"}, {4.F, 0.}}};
  const auto result = prepare(world(), input, {}, graph, 1);
  EXPECT_EQ(whole(result.dataset).holdout, bought);
  EXPECT_EQ(result.stats.holdout.read.dropped_events, 1);
}

// Which of the reference's interactions a temporal split of `share` holds out, by sorting all times.
struct Cut {
  double time = 0;
  std::set<IdPair> held;
  std::int64_t users_after = 0;
};

Cut reference_cut(const Whole& data, double share) {
  std::vector<double> times;
  std::map<std::string, std::vector<std::tuple<double, std::int64_t, std::string>>> of_user;
  for (const auto& [pair, value] : data.interactions) {
    times.push_back(value.second);
    of_user[pair.first].emplace_back(value.second, std::ranges::find(data.items, pair.second) - data.items.begin(),
                                     pair.second);
  }
  std::ranges::sort(times);
  const auto held = static_cast<std::size_t>(std::floor(share * static_cast<double>(times.size())));
  Cut cut;
  cut.time = times[times.size() - held - 1];
  for (auto& [user, list] : of_user) {
    std::ranges::sort(list);
    if (std::get<0>(list[0]) > cut.time) ++cut.users_after;
    for (std::size_t i = 1; i < list.size(); ++i) {
      if (std::get<0>(list[i]) > cut.time) cut.held.insert({user, std::get<2>(list[i])});
    }
  }
  return cut;
}

TEST(OverTime, TheLatestAreHeldOut) {
  const Scratch scratch;
  std::mt19937 random(3);
  std::vector<Line> lines;
  for (int i = 0; i < 1500; ++i) {
    // Late users come with their number; times below zero, equal ones, and ones that differ in the last bits.
    const auto u = random() % 90;
    const double time = u < 80 ? static_cast<double>(random() % 400) - 150 : 1e9 + std::ldexp(random() % 50, -20);
    lines.push_back({std::to_string(u), std::to_string(random() % 60), 1, i % 50 ? time : -0.0});
  }
  lines.push_back({"only", "late", 1, 2e9});
  std::ostringstream text;
  text.precision(17);
  for (const auto& line : lines) text << line.user << '\t' << line.item << "\t1\t" << line.time << '\n';
  auto input = reading({scratch.write("a.tsv", text.str())});
  input.holdout_split = HoldoutSplit::temporal;
  const auto all = reference(lines, {}, {});
  for (const double share : {0.0005, 0.01, 0.1, 0.37, 0.9}) {
    input.holdout = share;
    const auto result = prepare(world(), input, {}, {}, 7);
    const auto got = whole(result.dataset);
    const auto wanted = reference_cut(all, share);
    std::set<IdPair> held;
    for (const auto& [pair, value] : got.holdout) {
      held.insert(pair);
      EXPECT_EQ(value, all.interactions.at(pair));
    }
    EXPECT_EQ(held, wanted.held) << share;
    EXPECT_EQ(got.interactions.size() + got.holdout.size(), all.interactions.size());
    EXPECT_EQ(got.users, all.users);
    EXPECT_EQ(got.items, all.items) << "items stay";
    EXPECT_EQ(result.stats.holdout.cut, std::optional(wanted.time));
    EXPECT_EQ(result.stats.holdout.users_after_cut, wanted.users_after);
    EXPECT_EQ(result.stats.holdout.pairs, std::ssize(held));
  }
  EXPECT_GT(reference_cut(all, 0.9).users_after, 5) << "users who keep their earliest are among the cases";
  EXPECT_GT(reference_cut(all, 0.37).held.size(), 100U);
}

TEST(OverTime, EqualTimesStay) {
  const Scratch scratch;
  auto input = reading({scratch.write("a.tsv", "1\ta\t1\t5\n1\tb\t1\t5\n2\ta\t1\t5\n2\tb\t1\t4\n")});
  input.holdout = 0.5;
  input.holdout_split = HoldoutSplit::temporal;
  const auto result = prepare(world(), input, {}, {}, 1);
  EXPECT_EQ(result.stats.holdout.pairs, 0);
  EXPECT_EQ(result.stats.holdout.cut, std::optional(5.0));
  EXPECT_EQ(
      result.stats.holdout.nothing,
      "3 interactions share the latest time, 5, more than a share of 0.5 (input.holdout) of 4 interactions, and none "
      "of them came last");
}

}  // namespace
}  // namespace cohort
