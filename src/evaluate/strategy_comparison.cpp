#include "evaluate/strategy_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluate/item_neighbours.hpp"
#include "items/ranking_measures.hpp"

namespace cohort {

namespace {

constexpr auto measures = list_measures.size();
constexpr std::int64_t neighbours = 100;  // of an item, for itemcf
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

// This rank's users with held-out items.
struct TestUsers {
  std::vector<std::int64_t> row;     ///< of the population's users
  std::vector<std::int64_t> number;  ///< global
  std::vector<std::int32_t> group;   ///< group_of(segment, cold)
  std::int64_t cold_at_most = 0;
};

// The least number that a quarter of the values do not exceed. Collective.
std::int64_t lower_quartile(const Communicator& comm, std::span<const std::int64_t> values) {
  const auto total = comm.sum(std::ssize(values));
  std::int64_t low = 0;
  auto high = comm.max(values.empty() ? std::int64_t{0} : std::ranges::max(values));
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto at_most = comm.sum(std::ranges::count_if(values, [&](std::int64_t value) { return value <= middle; }));
    if (4 * at_most >= total) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

TestUsers test_users(const Communicator& comm, const Population& population, const PairTable& held_out) {
  TestUsers users;
  std::vector<std::int64_t> seen;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < held_out.rows(); ++u) {
      if (held_out.row(u).empty()) continue;
      users.row.push_back(u);
      users.number.push_back(population.user_blocks->begin(comm.rank()) + u);
      seen.push_back(std::ssize(population.interactions->row(u)));
    }
  });
  users.cold_at_most = lower_quartile(comm, seen);
  for (std::size_t i = 0; i < users.row.size(); ++i) {
    users.group.push_back(group_of(population.segment[users.row[i]], seen[i] <= users.cold_at_most));
  }
  return users;
}

// Those that can be made, and what needs nothing learnt beside them.
std::vector<Strategy> strategies_of(const Population& population, const RecommendModel& model) {
  std::vector<Strategy> strategies;
  for (const auto strategy : all_strategies) {
    if (can_make(population, model, strategy)) strategies.push_back(strategy);
  }
  strategies.push_back(Strategy::itemcf);
  return strategies;
}

// One strategy's lists: what they measure, into value[user][strategy][measure], and how they spread. Collective.
Exposures run_strategy(const Communicator& comm, const Population& population, const RecommendModel& model,
                       const TestUsers& users, const PairTable& held_out, std::int64_t k,
                       std::span<const Strategy> strategies, std::size_t strategy, std::vector<double>& value) {
  const auto gains = ideal_gains(k);
  std::vector<std::int64_t> place;  // of a user among the test users
  std::vector<std::int64_t> size;
  std::vector<std::int64_t> shown;
  comm.attempt([&] {
    place.resize(population.segment.size());
    for (std::size_t i = 0; i < users.row.size(); ++i) {
      place[users.row[i]] = static_cast<std::int64_t>(i);
    }
    size.resize(users.row.size());
    shown.resize(users.row.size() * static_cast<std::size_t>(k));
  });
  const auto take = [&](std::int64_t user, std::span<const ScoredItem> best) {
    const auto i = static_cast<std::size_t>(place[user]);
    const auto found = measure_list(best, held_out.row(user), k, gains);
    const std::array<double, measures> row{found.recall, found.ndcg, found.hits > 0 ? 1.0 : 0.0};
    std::ranges::copy(row, value.begin() + static_cast<std::ptrdiff_t>((i * strategies.size() + strategy) * measures));
    size[i] = std::ssize(best);
    for (std::size_t r = 0; r < best.size(); ++r) shown[i * k + r] = best[r].item;
  };
  if (strategies[strategy] == Strategy::itemcf) {
    const auto near = item_neighbours(comm, *population.interactions, *population.item_blocks, neighbours);
    recommend_like(comm, near, *population.interactions, k, users.row, take);
  } else {
    recommend_to_users(comm, population, model, strategies[strategy], k, &users.row, take);
  }
  PairTable lists;
  comm.attempt([&] {
    for (std::size_t i = 0; i < size.size(); ++i) {
      const auto first = shown.begin() + static_cast<std::ptrdiff_t>(i) * k;
      lists.other.insert(lists.other.end(), first, first + size[i]);
      lists.row_begin.push_back(std::ssize(lists.other));
    }
  });
  return exposures(comm, lists, users.group, model.counts, population.user_blocks->total());
}

// Turns resampled sums of sets of users into means, intervals and claims.
class Claims {
 public:
  explicit Claims(std::int64_t resamples) : largest_(static_cast<std::size_t>(resamples), -infinity) {}

  /// Fills one set's measures of all strategies.
  void take(const ResampledSums& sums, std::span<StrategyMeasures* const> of) {
    for (std::size_t s = 0; s < of.size(); ++s) {
      of[s]->users = sums.users()[0];
      for (std::size_t m = 0; m < measures; ++m) {
        const auto mine = sums.column(static_cast<std::int64_t>(s * measures + m));
        const auto base = sums.column(static_cast<std::int64_t>(m));
        of[s]->mean[m] = mean_of(sums.users(), [&](std::size_t r) { return mine[r]; });
        of[s]->gain[m] = mean_of(sums.users(), [&](std::size_t r) { return mine[r] - base[r]; });
        if (s > 0 && m == claimed_measure && sums.users()[0] >= least_users) test(*of[s]);
      }
    }
  }

  /// Once all sets are in: makes the claims.
  void decide(StrategyComparison& comparison) {
    comparison.claims = std::ssize(tested_);
    comparison.critical_value = nothing;
    if (tested_.empty()) return;
    std::ranges::sort(largest_);
    const auto above = static_cast<std::size_t>(family_error * static_cast<double>(largest_.size()));
    comparison.critical_value = largest_[largest_.size() - 1 - above];
    for (const auto& [set, gain_in_errors] : tested_) {
      set->tested = true;
      set->beats_global = gain_in_errors > comparison.critical_value;
    }
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  struct Tested {
    StrategyMeasures* set;
    double gain_in_errors;
  };

  // means_ becomes what the mean is in each resample; where nobody was drawn, what it is in the sample.
  template <class SumOf>
  MeasuredMean mean_of(std::span<const std::int64_t> users, SumOf sum_of) {
    const auto mean = [&](std::size_t r) {
      return static_cast<double>(sum_of(r)) * value_unit() / static_cast<double>(users[r]);
    };
    if (users[0] == 0) return {nothing, {nothing, nothing}};
    means_.clear();
    for (std::size_t r = 1; r < users.size(); ++r) means_.push_back(mean(users[r] > 0 ? r : 0));
    sample_mean_ = mean(0);
    return {sample_mean_, users[0] < least_users ? Interval{nothing, nothing} : percentile_interval(means_)};
  }

  // The gain that mean_of saw last.
  void test(StrategyMeasures& set) {
    double sum = 0;
    for (const auto mean : means_) sum += mean;
    const auto centre = sum / static_cast<double>(means_.size());
    double squares = 0;
    for (const auto mean : means_) squares += (mean - centre) * (mean - centre);
    const auto error = std::sqrt(squares / static_cast<double>(means_.size() - 1));
    if (!(error > 0)) return;  // the lists measure alike, user by user
    for (std::size_t r = 0; r < means_.size(); ++r) {
      largest_[r] = std::max(largest_[r], (means_[r] - sample_mean_) / error);
    }
    tested_.push_back({&set, sample_mean_ / error});
  }

  std::vector<double> largest_;  // centred gain in each resample, of all claims
  std::vector<Tested> tested_;
  std::vector<double> means_;
  double sample_mean_ = 0;
};

}  // namespace

StrategyComparison compare_strategies(const Communicator& comm, const Population& population,
                                      const RecommendModel& model, const PairTable& held_out,
                                      const ComparisonOptions& options) {
  COHORT_CHECK(held_out.rows() == std::ssize(population.segment) && options.k >= 1);
  const auto users = test_users(comm, population, held_out);

  StrategyComparison comparison;
  comparison.k = options.k;
  comparison.users = comm.sum(std::ssize(users.row));
  comparison.cold_at_most = users.cold_at_most;
  comparison.resamples = options.resamples;
  comparison.smoothing = model.smoothing;
  comparison.blend_weight = model.blend_weight;
  comparison.filter_ridge = model.filter_ridge;
  comparison.filter_power = model.filter_power;
  comparison.filter_weight = model.filter_weight;
  comparison.validation_users = model.validation_users;
  const auto made = strategies_of(population, model);
  const auto strategies = made.size();
  comparison.strategies.resize(strategies);

  std::vector<double> value;
  comm.attempt([&] { value.resize(users.row.size() * strategies * measures); });
  for (std::size_t s = 0; s < strategies; ++s) {
    auto& result = comparison.strategies[s];
    result.strategy = made[s];
    result.segments.resize(population.segments());
    const auto spread = run_strategy(comm, population, model, users, held_out, options.k, made, s, value);
    result.overall.exposure = spread.overall;
    result.cold.exposure = spread.cold;
    for (std::size_t g = 0; g < result.segments.size(); ++g) result.segments[g].exposure = spread.segments[g];
  }

  const BootstrapInput input{users.number,
                             users.group,
                             value,
                             static_cast<std::int64_t>(strategies * measures),
                             2 * population.segments(),
                             options.resamples,
                             options.seed};
  ResampledSums overall(input.width, input.resamples);
  ResampledSums cold(input.width, input.resamples);
  ResampledSums segment;
  Claims claims(input.resamples);
  const auto sets = [&](auto set_of) {
    std::vector<StrategyMeasures*> of;
    for (auto& result : comparison.strategies) of.push_back(&set_of(result));
    return of;
  };
  bootstrap(comm, input, [&](std::int32_t group, const ResampledSums& sums) {
    overall.add(sums);
    if (group % 2 == 0) {
      segment = sums;
      return;
    }
    cold.add(sums);
    segment.add(sums);
    const auto g = static_cast<std::size_t>(group / 2);
    claims.take(segment, sets([&](StrategyResult& result) -> StrategyMeasures& { return result.segments[g]; }));
  });
  claims.take(overall, sets([](StrategyResult& result) -> StrategyMeasures& { return result.overall; }));
  claims.take(cold, sets([](StrategyResult& result) -> StrategyMeasures& { return result.cold; }));
  claims.decide(comparison);
  return comparison;
}

}  // namespace cohort
