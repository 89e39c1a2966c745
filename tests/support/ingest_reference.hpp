// Reading and cleaning done plainly in memory with maps of strings: the oracle of tests/mpi/ingest_prepare_test.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "support/ingest_support.hpp"

namespace cohort::testing_support {

struct Line {
  std::string user, item;
  double weight = 1;
  double time = 0;
};

inline void sort_ids(std::vector<std::string>& ids) {
  std::ranges::sort(ids, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
}

inline float sum_sorted(std::vector<double> weights) {
  std::ranges::sort(weights);
  double sum = 0;
  for (const auto weight : weights) sum += static_cast<double>(static_cast<float>(weight));
  return static_cast<float>(sum);
}

inline std::map<IdPair, std::pair<float, double>> merged(const std::vector<Line>& lines, double min_weight) {
  std::map<IdPair, std::pair<std::vector<double>, double>> groups;
  for (const auto& line : lines) {
    if (line.weight < min_weight) continue;
    auto& group = groups[{line.user, line.item}];
    group.second = group.first.empty() ? line.time : std::max(group.second, line.time);
    group.first.push_back(line.weight);
  }
  std::map<IdPair, std::pair<float, double>> result;
  for (const auto& [pair, group] : groups) result[pair] = {sum_sorted(group.first), group.second};
  return result;
}

/// Social lines in Line's user, item, weight.
inline Whole reference(const std::vector<Line>& lines, const std::vector<Line>& social, const CleanConfig& clean,
                       double min_weight = 0) {
  Whole result;
  result.interactions = merged(lines, min_weight);
  std::map<std::string, std::int64_t> degree;
  for (const auto& [pair, value] : result.interactions) ++degree[pair.first];
  std::set<std::string> bots;
  for (const auto& [user, count] : degree) {
    if (clean.max_user_interactions > 0 && count > clean.max_user_interactions) bots.insert(user);
  }
  std::erase_if(result.interactions, [&](const auto& entry) { return bots.contains(entry.first.first); });
  for (std::size_t before = 0; before != result.interactions.size();) {
    before = result.interactions.size();
    std::map<std::string, std::int64_t> of_user, of_item;
    for (const auto& [pair, value] : result.interactions) ++of_user[pair.first], ++of_item[pair.second];
    std::erase_if(result.interactions, [&](const auto& entry) {
      return of_user[entry.first.first] < clean.min_user_interactions ||
             of_item[entry.first.second] < clean.min_item_interactions;
    });
  }
  std::set<std::string> active;
  for (const auto& [pair, value] : result.interactions) active.insert(pair.first);
  std::map<IdPair, std::vector<double>> directed;
  for (const auto& edge : social) {
    if (edge.user == edge.item || bots.contains(edge.user) || bots.contains(edge.item)) continue;
    if (clean.social_only_users == SocialOnlyUsers::drop && !(active.contains(edge.user) && active.contains(edge.item)))
      continue;
    directed[{edge.user, edge.item}].push_back(edge.weight);
  }
  for (const auto& [pair, weights] : directed) {
    for (const auto& key : {pair, IdPair{pair.second, pair.first}}) {
      result.social[key] = std::max(result.social[key], sum_sorted(weights));
    }
  }
  std::set<std::string> users, items;
  for (const auto& [pair, value] : result.interactions) users.insert(pair.first), items.insert(pair.second);
  for (const auto& [pair, value] : result.social) users.insert(pair.first);
  result.users.assign(users.begin(), users.end());
  result.items.assign(items.begin(), items.end());
  sort_ids(result.users);
  sort_ids(result.items);
  return result;
}

}  // namespace cohort::testing_support
