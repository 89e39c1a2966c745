// Profiles against plain serial loops over the whole population.
#include "profile/profile.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "support/profile_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

Distribution all_on_the_last(std::int64_t total) {
  std::vector<std::int64_t> begin(world().size() + 1, 0);
  begin.back() = total;
  return Distribution(begin);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto n = values.size();
  return n == 0 ? std::numeric_limits<double>::quiet_NaN() : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

void expect_same(double found, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(found));
  } else {
    EXPECT_DOUBLE_EQ(found, expected);
  }
}

// What the table of a segment must hold: features by lift, of counts by (segment, feature).
struct Lifts {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> count;
  std::vector<std::int64_t> base;

  void expect(const MarkTable& table, const std::function<std::string(std::int64_t)>& name,
              const ProfileConfig& options) const {
    const auto total = std::accumulate(base.begin(), base.end(), std::int64_t{0});
    std::map<std::int64_t, std::int64_t> population;
    for (const auto& [place, times] : count) population[place.second] += times;
    for (std::int64_t s = 0; s < std::ssize(base); ++s) {
      std::vector<std::pair<double, std::int64_t>> ranked;
      for (const auto& [feature, all] : population) {
        const auto found = count.find({s, feature});
        if (found == count.end() || found->second < options.min_users) continue;
        const double expected = static_cast<double>(base[s]) * (static_cast<double>(all) / static_cast<double>(total));
        const double lift = (static_cast<double>(found->second) + 5) / (expected + 5);
        if (lift > 1) ranked.emplace_back(-lift, feature);
      }
      std::ranges::sort(ranked);
      ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(options.top)));
      ASSERT_EQ(table.row_begin[s + 1] - table.row_begin[s], std::ssize(ranked));
      for (std::size_t i = 0; i < ranked.size(); ++i) {
        const auto row = static_cast<std::size_t>(table.row_begin[s]) + i;
        const auto feature = ranked[i].second;
        const auto own = count.at({s, feature});
        EXPECT_EQ(table.name[row], name(feature));
        EXPECT_EQ(table.count[row], own);
        EXPECT_EQ(table.population[row], population[feature]);
        EXPECT_DOUBLE_EQ(table.lift[row], -ranked[i].first);
        EXPECT_DOUBLE_EQ(table.share[row], static_cast<double>(own) / static_cast<double>(base[s]));
        EXPECT_DOUBLE_EQ(table.population_share[row],
                         static_cast<double>(population[feature]) / static_cast<double>(total));
      }
    }
  }
};

TEST(Profile, EqualsASerialComputation) {
  const auto town = full_town();
  ProfileConfig options;
  options.min_users = 2;
  options.top = 4;
  const auto found = profile(town, options);
  const auto size = town.sizes();
  Lifts items{{}, size};
  Lifts genres{{}, std::vector<std::int64_t>(4, 0)};
  Lifts occupations{{}, std::vector<std::int64_t>(4, 0)};
  for (std::int64_t s = 0; s < town.segments; ++s) {
    std::vector<double> activity;
    std::vector<double> last;
    std::set<std::int64_t> distinct;
    std::vector<double> times;
    for (std::int64_t u = 0; u < town.users; ++u) {
      if (town.segment[u] != s) continue;
      const auto& own = town.trained[u];
      activity.push_back(static_cast<double>(own.size()));
      double latest = -1e300;
      for (const auto& [item, time] : own) {
        distinct.insert(item);
        times.push_back(time);
        latest = std::max(latest, time);
        ++items.count[{s, item}];
        for (const auto genre : town.item_categories[item]) ++genres.count[{s, genre}];
      }
      if (!own.empty()) last.push_back(latest);
      genres.base[s] += std::ssize(own);
      for (const auto occupation : town.user_categories[u]) {
        ++occupations.count[{s, occupation}];
        ++occupations.base[s];
      }
    }
    const auto k = static_cast<std::size_t>(s);
    EXPECT_EQ(found.interactions[k], genres.base[k]);
    EXPECT_EQ(found.distinct_items[k], std::ssize(distinct));
    EXPECT_DOUBLE_EQ(found.mean_interactions[k],
                     activity.empty() ? 0 : static_cast<double>(genres.base[k]) / static_cast<double>(size[k]));
    expect_same(found.median_interactions[k], median(activity));
    expect_same(found.median_last_time[k], median(last));
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    expect_same(found.first_time[k], times.empty() ? nothing : std::ranges::min(times));
    expect_same(found.last_time[k], times.empty() ? nothing : std::ranges::max(times));

    double inside = 0;
    double outside = 0;
    for (const auto& [a, b] : town.friends) {
      const int ends = (town.segment[a] == s ? 1 : 0) + (town.segment[b] == s ? 1 : 0);
      (ends == 2 ? inside : outside) += ends == 0 ? 0 : 1;
    }
    const auto n = static_cast<double>(size[k]);
    EXPECT_DOUBLE_EQ(found.social_inside[k], n > 1 ? inside / (n * (n - 1) / 2) : 0);
    EXPECT_DOUBLE_EQ(found.social_outside[k], n > 0 ? outside / (n * (61 - n)) : 0);

    double mean = 0;
    double count = 0;
    double all_mean = 0;
    double all_count = 0;
    for (std::int64_t u = 0; u < town.users; ++u) {
      if (std::isnan(town.age[u])) continue;
      all_mean += town.age[u];
      ++all_count;
      mean += town.segment[u] == s ? town.age[u] : 0;
      count += town.segment[u] == s ? 1 : 0;
    }
    all_mean /= all_count;
    double square = 0;
    for (const auto age : town.age) square += std::isnan(age) ? 0 : (age - all_mean) * (age - all_mean);
    EXPECT_EQ(found.numeric.users[k], static_cast<std::int64_t>(count));
    EXPECT_DOUBLE_EQ(found.numeric.population_mean[0], all_mean);
    EXPECT_NEAR(found.numeric.population_spread[0], std::sqrt(square / all_count), 1e-12);
    expect_same(found.numeric.mean[k], count > 0 ? mean / count : nothing);
    if (count > 0) {
      EXPECT_NEAR(found.numeric.deviation[k], (mean / count - all_mean) / std::sqrt(square / all_count), 1e-12);
    }
  }
  items.expect(
      found.items, [](std::int64_t i) { return Town::name(i % 2 == 0 ? "i" : "The ", i); }, options);
  genres.expect(
      found.categories, [](std::int64_t c) { return Town::name("g", c); }, options);
  occupations.expect(
      found.user_categories, [](std::int64_t c) { return Town::name("o", c); }, options);

  // People: by distance and by margin, ties to the smaller number.
  for (std::int64_t s = 0; s < town.segments; ++s) {
    std::vector<std::pair<std::int64_t, std::int64_t>> near;
    std::vector<std::pair<std::int64_t, std::int64_t>> edge;
    for (std::int64_t u = 0; u < town.users; ++u) {
      if (town.segment[u] != s) continue;
      near.emplace_back(u * 7 % 5, u);
      edge.emplace_back(u * 3 % 4, u);
    }
    for (auto* list : {&near, &edge}) {
      const auto& found_list = list == &near ? found.representative : found.border;
      std::ranges::sort(*list);
      list->resize(std::min<std::size_t>(list->size(), 5));
      ASSERT_EQ(found_list.row_begin[s + 1] - found_list.row_begin[s], std::ssize(*list));
      for (std::size_t i = 0; i < list->size(); ++i) {
        EXPECT_EQ(found_list.id[found_list.row_begin[s] + i], (*list)[i].second);
      }
    }
  }
  // Held-out pairs of the table: known items that the user was not trained on.
  for (std::int64_t s = 0; s < town.segments; ++s) {
    for (auto row = static_cast<std::size_t>(found.items.row_begin[s]);
         row < static_cast<std::size_t>(found.items.row_begin[s + 1]); ++row) {
      std::int64_t hits = 0;
      std::int64_t total = 0;
      for (std::int64_t u = 0; u < town.users; ++u) {
        const auto item = found.items.item[row];
        if (std::ranges::count(town.held_out[u], item) == 0 || town.trained[u].contains(item)) continue;
        ++total;
        hits += town.segment[u] == s ? 1 : 0;
      }
      EXPECT_EQ(found.items.held_out[row], hits);
      EXPECT_EQ(found.items.held_out_total[row], total);
    }
  }
}

TEST(Profile, DoesNotDependOnWhoHoldsWhat) {
  const auto town = full_town();
  ProfileConfig options;
  options.min_users = 2;
  const auto even = profile(town, options);
  const auto one =
      profile(part_of(town, all_on_the_last(town.users), all_on_the_last(town.items), world().rank()), options);
  EXPECT_EQ(even.description, one.description);
  EXPECT_EQ(even.items.item, one.items.item);
  EXPECT_EQ(even.items.expected, one.items.expected);
  EXPECT_EQ(even.items.p_value, one.items.p_value);
  EXPECT_EQ(even.items.marking, one.items.marking);
  EXPECT_EQ(even.categories.name, one.categories.name);
  EXPECT_EQ(even.categories.expected, one.categories.expected);
  EXPECT_EQ(even.categories.p_value, one.categories.p_value);
  EXPECT_EQ(even.numeric.population_spread, one.numeric.population_spread);
  EXPECT_EQ(even.nearest.id, one.nearest.id);
  EXPECT_EQ(even.nearest.value, one.nearest.value);
  ASSERT_GT(even.items.rows(), 0);
  ASSERT_GT(even.categories.rows(), 0);
}

TEST(Profile, WithoutItems) {
  Town town = full_town();
  town.items = 0;
  town.times = false;
  town.item_categories.clear();
  for (auto& own : town.trained) own.clear();
  for (auto& own : town.held_out) own.clear();
  const auto found = profile(town);
  EXPECT_EQ(found.items.rows(), 0);
  EXPECT_EQ(found.interactions, std::vector<std::int64_t>(4, 0));
  EXPECT_EQ(found.tested, (std::vector<std::int64_t>{0, 0}));
  EXPECT_TRUE(found.first_time.empty());
  EXPECT_EQ(found.social_inside.size(), 4U);
  EXPECT_EQ(found.description.size(), 4U);
}

}  // namespace
}  // namespace cohort
