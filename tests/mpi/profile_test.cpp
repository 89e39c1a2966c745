// Profiles against plain serial loops over the whole population, against what was planted, and against populations
// without structure, of which next to nothing may be called marking.
#include "segment/profile.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "profile_support.hpp"
#include "segment/hypergeometric.hpp"

namespace cohort {
namespace {

using testing_support::at;
using testing_support::part_of;
using testing_support::Town;
using testing_support::TownPart;

const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

Distribution all_on_the_last(std::int64_t total) {
  std::vector<std::int64_t> begin(at(world().size()) + 1, 0);
  begin.back() = total;
  return Distribution(begin);
}

Profiles profile(const TownPart& part, const ProfileConfig& options) {
  ProfileInput input{&part.dataset, &part.segments};
  if (!part.item_attributes.category.empty()) input.item_attributes = &part.item_attributes;
  if (!part.user_attributes.category.empty()) input.user_attributes = &part.user_attributes;
  return profile_segments(world(), input, options);
}

Profiles profile(const Town& town, const ProfileConfig& options = {}) {
  const auto ranks = world().size();
  return profile(
      part_of(town, Distribution::even(town.users, ranks), Distribution::even(town.items, ranks), world().rank()),
      options);
}

// Everything there is, with an isolated user, an item that nobody has, an empty segment, and held-out pairs that must
// not count.
Town full_town() {
  Town town;
  town.users = 61;
  town.items = 23;
  town.segments = 4;
  town.times = true;
  std::mt19937 random(3);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(bound));
  };
  for (std::int64_t u = 0; u < town.users; ++u) {
    town.segment.push_back(static_cast<std::int32_t>(u % 3 == 0 ? 3 : u % 2));
    town.trained.emplace_back();
    town.held_out.emplace_back();
    town.age.push_back(u % 7 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(20 + below(40)));
    town.user_categories.emplace_back();
    if (u % 5 != 0) town.user_categories.back().push_back(static_cast<std::int32_t>(below(3)));
    if (u == 17) continue;
    for (std::int64_t i = 0; i < 8; ++i)
      town.trained.back()[below(town.items - 1)] = static_cast<double>(below(1000)) - 300;
    std::set<std::int64_t> held;
    for (std::int64_t i = 0; i < 3; ++i) held.insert(below(town.items - 1));
    town.held_out.back().assign(held.begin(), held.end());
    if (u % 9 == 0) town.held_out.back().insert(town.held_out.back().begin(), -1);
  }
  for (int e = 0; e < 120; ++e) {
    const auto a = below(town.users);
    const auto b = below(town.users);
    if (a != b) town.friends.insert({std::min(a, b), std::max(a, b)});
  }
  for (std::int64_t i = 0; i < town.items; ++i) {
    std::set<std::int32_t> own;
    for (std::int64_t c = 0; c < i % 3; ++c) own.insert(static_cast<std::int32_t>(below(4)));
    town.item_categories.emplace_back(own.begin(), own.end());
  }
  return town;
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
        const double expected =
            static_cast<double>(base[at(s)]) * (static_cast<double>(all) / static_cast<double>(total));
        const double lift = (static_cast<double>(found->second) + 5) / (expected + 5);
        if (lift > 1) ranked.emplace_back(-lift, feature);
      }
      std::ranges::sort(ranked);
      ranked.resize(std::min(ranked.size(), at(options.top)));
      ASSERT_EQ(table.row_begin[at(s) + 1] - table.row_begin[at(s)], std::ssize(ranked));
      for (std::size_t i = 0; i < ranked.size(); ++i) {
        const auto row = at(table.row_begin[at(s)]) + i;
        const auto feature = ranked[i].second;
        const auto own = count.at({s, feature});
        EXPECT_EQ(table.name[row], name(feature));
        EXPECT_EQ(table.count[row], own);
        EXPECT_EQ(table.population[row], population[feature]);
        EXPECT_DOUBLE_EQ(table.lift[row], -ranked[i].first);
        EXPECT_DOUBLE_EQ(table.share[row], static_cast<double>(own) / static_cast<double>(base[at(s)]));
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
      if (town.segment[at(u)] != s) continue;
      const auto& own = town.trained[at(u)];
      activity.push_back(static_cast<double>(own.size()));
      double latest = -1e300;
      for (const auto& [item, time] : own) {
        distinct.insert(item);
        times.push_back(time);
        latest = std::max(latest, time);
        ++items.count[{s, item}];
        for (const auto genre : town.item_categories[at(item)]) ++genres.count[{s, genre}];
      }
      if (!own.empty()) last.push_back(latest);
      genres.base[at(s)] += std::ssize(own);
      for (const auto occupation : town.user_categories[at(u)]) {
        ++occupations.count[{s, occupation}];
        ++occupations.base[at(s)];
      }
    }
    const auto k = at(s);
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
      const int ends = (town.segment[at(a)] == s ? 1 : 0) + (town.segment[at(b)] == s ? 1 : 0);
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
      if (std::isnan(town.age[at(u)])) continue;
      all_mean += town.age[at(u)];
      ++all_count;
      mean += town.segment[at(u)] == s ? town.age[at(u)] : 0;
      count += town.segment[at(u)] == s ? 1 : 0;
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
      if (town.segment[at(u)] != s) continue;
      near.emplace_back(u * 7 % 5, u);
      edge.emplace_back(u * 3 % 4, u);
    }
    for (auto* list : {&near, &edge}) {
      const auto& found_list = list == &near ? found.representative : found.border;
      std::ranges::sort(*list);
      list->resize(std::min<std::size_t>(list->size(), 5));
      ASSERT_EQ(found_list.row_begin[at(s) + 1] - found_list.row_begin[at(s)], std::ssize(*list));
      for (std::size_t i = 0; i < list->size(); ++i) {
        EXPECT_EQ(found_list.id[at(found_list.row_begin[at(s)]) + i], (*list)[i].second);
      }
    }
  }
  // Held-out pairs of the table: known items that the user was not trained on.
  for (std::int64_t s = 0; s < town.segments; ++s) {
    for (auto row = at(found.items.row_begin[at(s)]); row < at(found.items.row_begin[at(s) + 1]); ++row) {
      std::int64_t hits = 0;
      std::int64_t total = 0;
      for (std::int64_t u = 0; u < town.users; ++u) {
        const auto item = found.items.item[row];
        if (std::ranges::count(town.held_out[at(u)], item) == 0 || town.trained[at(u)].contains(item)) continue;
        ++total;
        hits += town.segment[at(u)] == s ? 1 : 0;
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

TEST(Profile, NamesWhatWasPlanted) {
  auto town = testing_support::drawn_town(400, 60, 4, 0.8, false, 5);
  for (std::int64_t i = 0; i < town.items; ++i) town.item_categories.push_back({static_cast<std::int32_t>(i % 4)});
  const auto found = profile(town);
  for (std::int64_t s = 0; s < 4; ++s) {
    const auto first = at(found.items.row_begin[at(s)]);
    ASSERT_GE(found.items.row_begin[at(s) + 1], static_cast<std::int64_t>(first) + 3);
    for (auto row = first; row < first + 3; ++row) {
      EXPECT_EQ(found.items.item[row] % 4, s);
      EXPECT_EQ(found.items.marking[row], 1);
    }
    // The genre of its items alone is above the others.
    ASSERT_EQ(found.categories.row_begin[at(s) + 1] - found.categories.row_begin[at(s)], 1);
    const auto genre = at(found.categories.row_begin[at(s)]);
    EXPECT_EQ(found.categories.name[genre], Town::name("g", s));
    EXPECT_EQ(found.categories.marking[genre], 1);
    EXPECT_LT(found.categories.p_value[genre], 1e-6);
    EXPECT_NE(found.description[at(s)].find("100 users (25.0 % of all)"), std::string::npos)
        << found.description[at(s)];
    EXPECT_NE(found.description[at(s)].find("marked by " + Town::name("g", s) + "; e.g. "), std::string::npos)
        << found.description[at(s)];
  }
}

TEST(Profile, WithoutHoldoutNothingIsSaidToMark) {
  auto town = testing_support::drawn_town(400, 60, 4, 0.8, false, 5);
  for (auto& held : town.held_out) held.clear();
  const auto found = profile(town);
  EXPECT_EQ(found.tested, (std::vector<std::int64_t>{0, 0}));
  EXPECT_GT(found.items.rows(), 0);
  EXPECT_TRUE(found.items.marking.empty());
  for (const auto& text : found.description) {
    EXPECT_EQ(text.find("marked"), std::string::npos);
    EXPECT_NE(text.find("often"), std::string::npos);
  }
}

// The configuration model pair by pair, without classes and levels.
class DenseModel {
 public:
  explicit DenseModel(const Town& town) : town_(town) {
    const auto users = at(town.users);
    const auto items = at(town.items);
    std::vector<double> held(users, 0);
    std::vector<double> user_degree(users, 0);
    std::vector<double> item_degree(items, 0);
    for (std::size_t u = 0; u < users; ++u) {
      std::set<std::int64_t> all;
      for (const auto& [item, time] : town.trained[u]) all.insert(item);
      const auto trained = all.size();
      for (const auto item : town.held_out[u]) {
        if (item >= 0) all.insert(item);
      }
      held[u] = static_cast<double>(all.size() - trained);
      user_degree[u] = static_cast<double>(all.size());
      for (const auto item : all) ++item_degree[at(item)];
    }
    std::vector<double> a(users, 0.3);
    b_.assign(items, 0.3);
    for (int step = 0; step < 500; ++step) {
      for (std::size_t u = 0; u < users; ++u) {
        double sum = 0;
        for (std::size_t i = 0; i < items; ++i) sum += b_[i] / (1 + a[u] * b_[i]);
        a[u] = user_degree[u] / sum;
      }
      for (std::size_t i = 0; i < items; ++i) {
        double sum = 0;
        for (std::size_t u = 0; u < users; ++u) sum += a[u] / (1 + a[u] * b_[i]);
        b_[i] = item_degree[i] / sum;
      }
    }
    for (std::size_t u = 0; u < users; ++u) {
      a_.push_back(held[u] == 0 ? 0 : solve([&](double value) {
        double sum = -held[u];
        for (std::size_t i = 0; i < items; ++i) sum += at_risk(u, i) ? value * b_[i] / (1 + value * b_[i]) : 0;
        return sum;
      }));
    }
  }
  /// Share of a segment in what is expected of `items`; calibrated for one item as the test is.
  double share(std::int64_t segment, const std::vector<std::int64_t>& items, double total) const {
    double inside = 0;
    double all = 0;
    for (const auto item : items) {
      const auto i = at(item);
      const auto sum = [&](double value, std::int64_t of) {
        double result = 0;
        for (std::size_t u = 0; u < a_.size(); ++u) {
          const bool counts = at_risk(u, i) && (of < 0 || town_.segment[u] == of);
          result += counts ? a_[u] * value / (1 + a_[u] * value) : 0;
        }
        return result;
      };
      const double value = items.size() > 1 ? b_[i] : solve([&](double v) { return sum(v, -1) - total; });
      inside += sum(value, segment);
      all += sum(value, -1);
    }
    return inside / all;
  }

 private:
  template <class Function>
  static double solve(Function above) {
    double low = 1e-9;
    double high = 1e9;
    for (int step = 0; step < 200; ++step) {
      const double middle = std::sqrt(low * high);
      (above(middle) < 0 ? low : high) = middle;
    }
    return low;
  }
  bool at_risk(std::size_t u, std::size_t i) const { return !town_.trained[u].contains(static_cast<std::int64_t>(i)); }

  const Town& town_;
  std::vector<double> a_;
  std::vector<double> b_;
};

TEST(Profile, ExpectsWhatTheConfigurationModelExpects) {
  const auto town = full_town();
  const DenseModel model(town);
  ProfileConfig options;
  options.min_users = 2;
  const auto found = profile(town, options);
  ASSERT_GT(found.categories.rows(), 3);
  for (std::int64_t s = 0; s < town.segments; ++s) {
    for (auto row = at(found.items.row_begin[at(s)]); row < at(found.items.row_begin[at(s) + 1]); ++row) {
      const auto total = static_cast<double>(found.items.held_out_total[row]);
      if (total == 0) continue;
      EXPECT_NEAR(found.items.expected[row] / (total * model.share(s, {found.items.item[row]}, total)), 1, 0.01);
    }
    for (auto row = at(found.categories.row_begin[at(s)]); row < at(found.categories.row_begin[at(s) + 1]); ++row) {
      std::vector<std::int64_t> items;
      for (std::int64_t i = 0; i < town.items; ++i) {
        for (const auto genre : town.item_categories[at(i)]) {
          if (Town::name("g", genre) == found.categories.name[row]) items.push_back(i);
        }
      }
      ASSERT_GT(items.size(), 1U);
      const auto total = static_cast<double>(found.categories.held_out_total[row]);
      EXPECT_NEAR(found.categories.expected[row] / (total * model.share(s, items, total)), 1, 0.01);
    }
  }
}

// What Fisher's test would call, if every held-out interaction were as likely to be any item as the next.
std::int64_t plainly_called(const Town& town, const Profiles& found) {
  std::vector<std::int64_t> held(at(town.segments), 0);
  for (std::size_t u = 0; u < town.held_out.size(); ++u) held[at(town.segment[u])] += std::ssize(town.held_out[u]);
  const auto population = std::accumulate(held.begin(), held.end(), std::int64_t{0});
  std::vector<double> p_values;
  for (std::size_t s = 0; s < held.size(); ++s) {
    for (auto row = at(found.items.row_begin[s]); row < at(found.items.row_begin[s + 1]); ++row) {
      p_values.push_back(
          hypergeometric_tail(found.items.held_out[row], population, held[s], found.items.held_out_total[row]));
    }
  }
  const auto called = benjamini_hochberg(p_values, 0.05);
  return std::accumulate(called.begin(), called.end(), std::int64_t{0});
}

// Twenty populations without tastes. By activity is the hard case: very active users have the popular items already,
// so that the others are over-represented in what is held out of them, and plain tests call that marking.
TEST(Profile, UnderNoStructureNextToNothingMarks) {
  if (world().size() > 1) GTEST_SKIP() << "long, and the same at every number of ranks";
  for (const bool by_activity : {true, false}) {
    std::int64_t tests = 0;
    std::int64_t called = 0;
    int populations = 0;
    int plain_populations = 0;
    for (unsigned seed = 1; seed <= 20; ++seed) {
      auto town = testing_support::drawn_town(2000, 300, 6, 0, by_activity, seed);
      for (std::int64_t i = 0; i < town.items; ++i) {
        town.item_categories.push_back({static_cast<std::int32_t>(i * 4 / town.items)});
      }
      ProfileConfig options;
      options.top = 20;
      const auto found = profile(town, options);
      const auto wrong =
          std::accumulate(found.items.marking.begin(), found.items.marking.end(), std::int64_t{0}) +
          std::accumulate(found.categories.marking.begin(), found.categories.marking.end(), std::int64_t{0});
      tests += found.tested[0] + found.tested[1];
      called += wrong;
      populations += wrong > 0 ? 1 : 0;
      plain_populations += plainly_called(town, found) > 0 ? 1 : 0;
    }
    EXPECT_GT(tests, 200);
    EXPECT_LE(called * 20, tests);
    // Where nothing is to be found any call is wrong, so that the control is over populations with one.
    EXPECT_LE(populations, 3) << called << " of " << tests << (by_activity ? " by activity" : "");
    if (by_activity) {
      EXPECT_GT(plain_populations, 10);
    }
  }
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
