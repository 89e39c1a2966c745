#include "profile/marking.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/ragged.hpp"
#include "profile/hypergeometric.hpp"

namespace cohort {

namespace {

// b of an item so that the model expects `total` held-out interactions of it, given the users at every level who are
// not trained on it. The expectation ascends with b, so halving log b finds it; infinity where all have it.
double calibrated(std::span<const double> at_risk, std::span<const double> level_value, std::int64_t total) {
  const auto expected = [&](double value) {
    double sum = 0;
    for (std::size_t l = 0; l < at_risk.size(); ++l) sum += at_risk[l] * from_odds(level_value[l] * value);
    return sum;
  };
  double low = -100;
  double high = 100;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (expected(std::exp2(middle)) < static_cast<double>(total) ? low : high) = middle;
  }
  return std::exp2(high);
}

// Which of `tested` (ascending) each of `values` (ascending) is; -1: none.
std::vector<std::int32_t> places_in(const std::vector<std::int64_t>& tested, const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> place(values.size(), -1);
  auto at = tested.begin();
  for (std::size_t i = 0; i < values.size(); ++i) {
    at = std::lower_bound(at, tested.end(), values[i]);
    if (at == tested.end()) break;
    if (*at == values[i]) place[i] = static_cast<std::int32_t>(at - tested.begin());
  }
  return place;
}

// Rows by (segment, what is tested): a segment has few.
class RowIndex {
 public:
  explicit RowIndex(std::int64_t segments) : rows_(static_cast<std::size_t>(segments)) {}
  void add(std::int64_t segment, std::int32_t thing, std::int64_t row) { rows_[segment].emplace_back(thing, row); }
  /// -1 where there is none.
  std::int64_t find(std::int64_t segment, std::int32_t thing) const {
    for (const auto& [known, row] : rows_[segment]) {
      if (known == thing) return row;
    }
    return -1;
  }

 private:
  std::vector<std::vector<std::pair<std::int32_t, std::int64_t>>> rows_;
};

}  // namespace

std::vector<HoldoutCounts> count_items(const Communicator& comm, const HoldoutModel& model, const MarkTable& items,
                                       std::span<const std::int32_t> segment) {
  const auto segments = std::ssize(items.row_begin) - 1;
  const auto rows = items.rows();
  const auto levels = model.levels();
  std::vector<std::int64_t> tested;
  std::vector<std::int64_t> hits;
  std::vector<std::int64_t> total;
  std::vector<std::int64_t> trained;         // tested items x levels: users trained on it
  std::vector<std::int64_t> trained_inside;  // rows x levels: those of the row's segment
  std::vector<std::int32_t> row_item(rows);
  comm.attempt([&] {
    tested = items.item;
    std::ranges::sort(tested);
    tested.erase(std::unique(tested.begin(), tested.end()), tested.end());
    RowIndex row_of(segments);
    for (std::int64_t s = 0; s < segments; ++s) {
      for (const auto row : places_of(items.row_begin, s)) {
        const auto place = std::ranges::lower_bound(tested, items.item[row]) - tested.begin();
        row_item[row] = static_cast<std::int32_t>(place);
        row_of.add(s, row_item[row], row);
      }
    }
    hits.assign(rows, 0);
    total.assign(tested.size(), 0);
    trained.assign(tested.size() * static_cast<std::size_t>(levels), 0);
    trained_inside.assign(rows * levels, 0);
    const auto place_of = places_in(tested, model.items());
    for (std::int64_t user = 0; user < std::ssize(segment); ++user) {
      const auto level = model.level(user);
      if (level < 0) continue;
      for (const auto item : model.trained(user)) {
        const auto place = place_of[item];
        if (place < 0) continue;
        ++trained[place * levels + level];
        const auto row = row_of.find(segment[user], place);
        if (row >= 0) ++trained_inside[row * levels + level];
      }
      for (const auto item : model.held_out(user)) {
        const auto place = place_of[item];
        if (place < 0) continue;
        ++total[place];
        const auto row = row_of.find(segment[user], place);
        if (row >= 0) ++hits[row];
      }
    }
  });
  for (auto* counts : {&hits, &total, &trained, &trained_inside}) {
    comm.sum_in_place(std::span<std::int64_t>(*counts));
  }
  // The probability that a user at a level who is not trained on the item has it held out.
  std::vector<double> probability(tested.size() * static_cast<std::size_t>(levels));
  std::vector<double> expected_total(tested.size(), 0.0);
  std::vector<double> at_risk(levels);
  for (std::size_t item = 0; item < tested.size(); ++item) {
    const auto base = item * static_cast<std::size_t>(levels);
    for (std::size_t l = 0; l < at_risk.size(); ++l) {
      at_risk[l] = static_cast<double>(model.all_users()[l] - trained[base + l]);
    }
    const double value = calibrated(at_risk, model.level_value(), total[item]);
    for (std::size_t l = 0; l < at_risk.size(); ++l) {
      probability[base + l] = from_odds(model.level_value()[l] * value);
      expected_total[item] += at_risk[l] * probability[base + l];
    }
  }
  std::vector<HoldoutCounts> result(rows);
  for (std::int64_t s = 0; s < segments; ++s) {
    const auto users = model.users_of(s);
    for (const auto row : places_of(items.row_begin, s)) {
      const auto item = static_cast<std::size_t>(row_item[row]);
      double expected = 0;
      for (std::size_t l = 0; l < at_risk.size(); ++l) {
        expected += static_cast<double>(users[l] - trained_inside[row * levels + l]) * probability[item * levels + l];
      }
      result[row] = {hits[row], total[item], expected_total[item] > 0 ? expected / expected_total[item] : 0.0};
    }
  }
  return result;
}

std::vector<HoldoutCounts> count_categories(const Communicator& comm, const HoldoutModel& model,
                                            const CategoryAttribute& attribute,
                                            std::span<const CategoryCandidate> candidates,
                                            std::span<const std::int32_t> segment, std::int64_t segments) {
  const auto levels = static_cast<std::size_t>(model.levels());
  const auto class_value = model.class_value();
  const auto classes = class_value.size();
  // Tested categories by number, and every row's categories of those.
  std::vector<std::int32_t> tested(attribute.categories.size(), -1);
  std::int32_t categories = 0;
  RowIndex row_of(segments);
  for (std::size_t row = 0; row < candidates.size(); ++row) {
    auto& number = tested[candidates[row].category];
    if (number < 0) number = categories++;
    row_of.add(candidates[row].segment, number, static_cast<std::int64_t>(row));
  }
  std::vector<std::int64_t> begin(1, 0);
  std::vector<std::int32_t> category;
  std::vector<std::int64_t> members(categories * classes, 0);  // items of every class
  comm.attempt([&] {
    for (std::size_t item = 0; item + 1 < attribute.row_begin.size(); ++item) {
      for (const auto i : places_of(attribute.row_begin, item)) {
        const auto number = tested[attribute.category[i]];
        if (number < 0) continue;
        category.push_back(number);
        ++members[number * classes + model.class_of_row(static_cast<std::int64_t>(item))];
      }
      begin.push_back(std::ssize(category));
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(members));
  const auto of_item = model.plan().fetch_rows(begin, category);

  // The probability of every level and class, in fixed point so that sums over users are exact: a sum has no more terms
  // than there are trained interactions.
  std::int64_t terms = 0;
  for (std::int64_t user = 0; user < std::ssize(segment); ++user) terms += std::ssize(model.trained(user));
  const int bits = 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(comm.sum(terms))));
  std::vector<std::int64_t> probability(levels * classes);
  for (std::size_t l = 0; l < levels; ++l) {
    for (std::size_t c = 0; c < classes; ++c) {
      const double p = from_odds(model.level_value()[l] * class_value[c]);
      probability[l * classes + c] = static_cast<std::int64_t>(std::ldexp(p, bits));
    }
  }
  std::vector<std::int64_t> hits(candidates.size(), 0);
  std::vector<std::int64_t> total(categories, 0);
  std::vector<std::int64_t> trained_inside(candidates.size(), 0);
  std::vector<std::int64_t> trained(categories, 0);
  comm.attempt([&] {
    const auto each_category = [&](std::uint32_t item, const auto& take) {
      for (const auto i : places_of(of_item.row_begin, item)) take(of_item.value[i]);
    };
    for (std::int64_t user = 0; user < std::ssize(segment); ++user) {
      const auto level = model.level(user);
      if (level < 0) continue;
      for (const auto item : model.trained(user)) {
        const auto p = probability[level * classes + model.class_at(item)];
        each_category(item, [&](std::int32_t number) {
          trained[number] += p;
          const auto row = row_of.find(segment[user], number);
          if (row >= 0) trained_inside[row] += p;
        });
      }
      for (const auto item : model.held_out(user)) {
        each_category(item, [&](std::int32_t number) {
          ++total[number];
          const auto row = row_of.find(segment[user], number);
          if (row >= 0) ++hits[row];
        });
      }
    }
  });
  for (auto* counts : {&hits, &total, &trained, &trained_inside}) {
    comm.sum_in_place(std::span<std::int64_t>(*counts));
  }
  // Expected of a user at a level, were there nothing it is trained on.
  std::vector<double> of_level(categories * levels, 0.0);
  std::vector<double> expected_total(categories, 0.0);
  for (std::size_t number = 0; number < total.size(); ++number) {
    for (std::size_t l = 0; l < levels; ++l) {
      double sum = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        const auto count = members[number * classes + c];
        if (count > 0) sum += static_cast<double>(count) * from_odds(model.level_value()[l] * class_value[c]);
      }
      of_level[number * levels + l] = sum;
      expected_total[number] += static_cast<double>(model.all_users()[l]) * sum;
    }
    expected_total[number] -= std::ldexp(static_cast<double>(trained[number]), -bits);
  }
  std::vector<HoldoutCounts> result;
  for (std::size_t row = 0; row < candidates.size(); ++row) {
    const auto number = static_cast<std::size_t>(tested[candidates[row].category]);
    const auto users = model.users_of(candidates[row].segment);
    double expected = -std::ldexp(static_cast<double>(trained_inside[row]), -bits);
    for (std::size_t l = 0; l < levels; ++l) expected += static_cast<double>(users[l]) * of_level[number * levels + l];
    const double share = expected_total[number] > 0 ? std::clamp(expected / expected_total[number], 0.0, 1.0) : 0.0;
    result.push_back({hits[row], total[number], share});
  }
  return result;
}

void test_rows(std::span<const HoldoutCounts> counts, std::int64_t population, double false_discovery_rate,
               MarkTable& table) {
  for (const auto& count : counts) {
    const auto marked = static_cast<std::int64_t>(std::ceil(static_cast<double>(population) * count.expected_share));
    table.held_out.push_back(count.hits);
    table.held_out_total.push_back(count.total);
    table.expected.push_back(static_cast<double>(count.total) * count.expected_share);
    // An interaction may count for several categories, but never twice for one: total <= population.
    table.p_value.push_back(hypergeometric_tail(count.hits, population, std::min(marked, population), count.total));
  }
  table.marking = benjamini_hochberg(table.p_value, false_discovery_rate);
}

}  // namespace cohort
