// Two segmentations compared over any number of ranks, against maps of strings.
#include "evaluate/comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "ingest/ids/dictionary.hpp"

namespace cohort {
namespace {

const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

using Assignment = std::map<std::string, std::int32_t>;

UserSegments spread(const Assignment& assignment, std::int32_t segments) {
  IdTable all;
  std::vector<std::string> order;
  for (const auto& [id, segment] : assignment) order.push_back(id);
  std::ranges::sort(order, {}, [](const std::string& id) { return std::pair(id.size(), id); });
  UserSegments result;
  result.users.distribution = Distribution::even(std::ssize(order), world().size());
  result.size.assign(segments, 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto segment = assignment.at(order[i]);
    ++result.size[segment];
    const auto number = static_cast<std::int64_t>(i);
    if (result.users.distribution.owner(number) != world().rank()) continue;
    result.users.push_back(order[i]);
    result.segment.push_back(segment);
  }
  return result;
}

TEST(Comparison, CountsByOriginalIds) {
  std::mt19937 random(1);
  for (const int users : {1, 3, 40, 700}) {
    Assignment first, second;
    for (int u = 0; u < users; ++u) {
      const auto id = std::string(u % 3 ? "u" : "user-").append(std::to_string(u));
      const auto segment = static_cast<std::int32_t>(random() % 6);
      if (u % 7 || users < 7) first[id] = segment;
      if (u % 5 || users < 7) second[id] = random() % 4 ? (segment + 3) % 6 : static_cast<std::int32_t>(random() % 8);
    }
    const auto got = compare_segments(world(), spread(first, 6), spread(second, 8));
    std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> flows;
    std::vector<std::int64_t> gone(6, 0), added(8, 0);
    for (const auto& [id, segment] : first) {
      if (second.contains(id)) {
        ++flows[{segment, second[id]}];
      } else {
        ++gone[segment];
      }
    }
    for (const auto& [id, segment] : second) added[segment] += first.contains(id) ? 0 : 1;
    ASSERT_EQ(got.flows.size(), flows.size());
    std::int64_t common = 0;
    std::int64_t stayed = 0;
    std::size_t at = 0;
    for (const auto& [pair, count] : flows) {
      EXPECT_EQ(std::pair(got.flows[at].from, got.flows[at].to), pair);
      EXPECT_EQ(got.flows[at].users, count);
      ++at;
      common += count;
      if (got.match[pair.first] == pair.second) stayed += count;
    }
    EXPECT_EQ(got.common(), common);
    EXPECT_EQ(got.stayed, stayed);
    EXPECT_EQ(got.gone_from, gone);
    EXPECT_EQ(got.added_to, added);
    EXPECT_EQ(got.gone + common, std::ssize(first));
    EXPECT_EQ(got.added + common, std::ssize(second));
    EXPECT_EQ(got.match, best_matching(6, got.flows));
    if (users == 700) {
      for (std::int32_t s = 0; s < 6; ++s) EXPECT_EQ(got.match[s], (s + 3) % 6);
      EXPECT_GT(got.agreement.ari, 0.4);
    }
  }
}

TEST(Comparison, RenamedSegmentsAreTheSame) {
  Assignment first, second;
  for (int u = 0; u < 300; ++u) {
    first[std::to_string(u)] = u % 7;
    second[std::to_string(u)] = (u + 4) % 7;
  }
  const auto got = compare_segments(world(), spread(first, 7), spread(second, 7));
  EXPECT_EQ(got.agreement.ari, 1.0);
  EXPECT_EQ(got.stayed, 300);
  EXPECT_EQ(got.gone + got.added, 0);
  EXPECT_EQ(got.match, (std::vector<std::int32_t>{4, 5, 6, 0, 1, 2, 3}));
}

TEST(Comparison, NobodyInCommon) {
  const auto got = compare_segments(world(), spread({{"a", 0}, {"b", 1}}, 2), spread({{"c", 0}}, 1));
  EXPECT_EQ(got.common(), 0);
  EXPECT_EQ(got.gone, 2);
  EXPECT_EQ(got.added, 1);
  EXPECT_EQ(got.match, (std::vector<std::int32_t>{-1, -1}));
}

}  // namespace
}  // namespace cohort
