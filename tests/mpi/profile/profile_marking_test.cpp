// What is said to mark a segment: what was planted; by the configuration model pair by pair; and next to nothing in
// populations without structure.
#include <gtest/gtest.h>

#include <numeric>

#include "profile/hypergeometric.hpp"
#include "profile/profile.hpp"
#include "support/profile_support.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(Marking, NamesWhatWasPlanted) {
  auto town = testing_support::drawn_town(400, 60, 4, 0.8, false, 5);
  for (std::int64_t i = 0; i < town.items; ++i) town.item_categories.push_back({static_cast<std::int32_t>(i % 4)});
  const auto found = profile(town);
  for (std::int64_t s = 0; s < 4; ++s) {
    const auto first = static_cast<std::size_t>(found.items.row_begin[s]);
    ASSERT_GE(found.items.row_begin[s + 1], static_cast<std::int64_t>(first) + 3);
    for (auto row = first; row < first + 3; ++row) {
      EXPECT_EQ(found.items.item[row] % 4, s);
      EXPECT_EQ(found.items.marking[row], 1);
    }
    // The genre of its items alone is above the others.
    ASSERT_EQ(found.categories.row_begin[s + 1] - found.categories.row_begin[s], 1);
    const auto genre = static_cast<std::size_t>(found.categories.row_begin[s]);
    EXPECT_EQ(found.categories.name[genre], Town::name("g", s));
    EXPECT_EQ(found.categories.marking[genre], 1);
    EXPECT_LT(found.categories.p_value[genre], 1e-6);
    EXPECT_NE(found.description[s].find("100 users (25.0 % of all)"), std::string::npos) << found.description[s];
    EXPECT_NE(found.description[s].find("marked by " + Town::name("g", s) + "; e.g. "), std::string::npos)
        << found.description[s];
  }
}

TEST(Marking, WithoutHoldoutNothingIsSaidToMark) {
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
    const auto users = static_cast<std::size_t>(town.users);
    const auto items = static_cast<std::size_t>(town.items);
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
      for (const auto item : all) ++item_degree[item];
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
      const auto i = static_cast<std::size_t>(item);
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

TEST(Marking, ExpectsWhatTheConfigurationModelExpects) {
  const auto town = full_town();
  const DenseModel model(town);
  ProfileConfig options;
  options.min_users = 2;
  const auto found = profile(town, options);
  ASSERT_GT(found.categories.rows(), 3);
  for (std::int64_t s = 0; s < town.segments; ++s) {
    for (auto row = static_cast<std::size_t>(found.items.row_begin[s]);
         row < static_cast<std::size_t>(found.items.row_begin[s + 1]); ++row) {
      const auto total = static_cast<double>(found.items.held_out_total[row]);
      if (total == 0) continue;
      EXPECT_NEAR(found.items.expected[row] / (total * model.share(s, {found.items.item[row]}, total)), 1, 0.01);
    }
    for (auto row = static_cast<std::size_t>(found.categories.row_begin[s]);
         row < static_cast<std::size_t>(found.categories.row_begin[s + 1]); ++row) {
      std::vector<std::int64_t> items;
      for (std::int64_t i = 0; i < town.items; ++i) {
        for (const auto genre : town.item_categories[i]) {
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
  std::vector<std::int64_t> held(town.segments, 0);
  for (std::size_t u = 0; u < town.held_out.size(); ++u) held[town.segment[u]] += std::ssize(town.held_out[u]);
  const auto population = std::accumulate(held.begin(), held.end(), std::int64_t{0});
  std::vector<double> p_values;
  for (std::size_t s = 0; s < held.size(); ++s) {
    for (auto row = static_cast<std::size_t>(found.items.row_begin[s]);
         row < static_cast<std::size_t>(found.items.row_begin[s + 1]); ++row) {
      p_values.push_back(
          hypergeometric_tail(found.items.held_out[row], population, held[s], found.items.held_out_total[row]));
    }
  }
  const auto called = benjamini_hochberg(p_values, 0.05);
  return std::accumulate(called.begin(), called.end(), std::int64_t{0});
}

// Twenty populations without tastes. By activity is the hard case: very active users have the popular items already,
// so that the others are over-represented in what is held out of them, and plain tests call that marking.
TEST(Marking, UnderNoStructureNextToNothingMarks) {
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

}  // namespace
}  // namespace cohort
