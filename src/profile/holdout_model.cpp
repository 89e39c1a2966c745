#include "profile/holdout_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/parallel.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

constexpr std::size_t classes = 256;

// Levels of a_u: 16 an octave from 2^-40 to 2^24, what is beyond in the outermost.
constexpr int levels_an_octave = 16;
constexpr int lowest_octave = -40;
constexpr int octaves = 64;
constexpr double largest_value = 16'777'216;

struct DegreeClasses {
  std::vector<std::int64_t> members = std::vector<std::int64_t>(classes, 0);
  std::vector<std::int64_t> degrees = std::vector<std::int64_t>(classes, 0);  // their sum

  void add(std::int64_t degree) {
    ++members[degree_class(degree)];
    degrees[degree_class(degree)] += degree;
  }
  void sum(const Communicator& comm) {
    comm.sum_in_place(std::span<std::int64_t>(members));
    comm.sum_in_place(std::span<std::int64_t>(degrees));
  }
};

// One side of the configuration model's equations, d_a = sum over b of members_b x_a y_b / (1 + x_a y_b), solved for x
// by a step of the fixed point; returns the largest relative change.
double improve(const DegreeClasses& mine, std::vector<double>& x, const DegreeClasses& other,
               const std::vector<double>& y) {
  double change = 0;
  for (std::size_t a = 0; a < classes; ++a) {
    if (mine.degrees[a] == 0) continue;
    double sum = 0;
    for (std::size_t b = 0; b < classes; ++b) {
      if (other.degrees[b] > 0) sum += static_cast<double>(other.members[b]) * y[b] / (1 + x[a] * y[b]);
    }
    const double better = static_cast<double>(mine.degrees[a]) / static_cast<double>(mine.members[a]) / sum;
    change = std::max(change, std::fabs(better - x[a]) / better);
    x[a] = better;
  }
  return change;
}

std::vector<double> item_values(const DegreeClasses& users, const DegreeClasses& items) {
  const auto pairs = std::accumulate(items.degrees.begin(), items.degrees.end(), std::int64_t{0});
  const auto start = [&](const DegreeClasses& side) {
    std::vector<double> value(classes, 0.0);
    for (std::size_t c = 0; c < classes; ++c) {
      if (side.degrees[c] == 0) continue;
      value[c] = static_cast<double>(side.degrees[c]) / static_cast<double>(side.members[c]) /
                 std::sqrt(static_cast<double>(pairs));
    }
    return value;
  };
  auto a = start(users);
  auto b = start(items);
  // Classes that have everything would grow for ever; some hundred steps are far beyond what the tests can tell.
  for (int step = 0; step < 300; ++step) {
    const double change = improve(users, a, items, b);
    if (std::max(change, improve(items, b, users, a)) < 1e-10) break;
  }
  return b;
}

// a so that sum over classes of members a b / (1 + a b) is `count`: Newton in log a, from the side where it is too
// small.
double user_value(const std::vector<double>& members, const std::vector<double>& value, double count) {
  double linear = 0;
  double most = 0;
  for (std::size_t c = 0; c < members.size(); ++c) {
    linear += members[c] * value[c];
    most += members[c];
  }
  if (!(count < most)) return largest_value;
  double a = count / linear;
  for (int step = 0; step < 60; ++step) {
    double sum = 0;
    double slope = 0;
    for (std::size_t c = 0; c < members.size(); ++c) {
      const double p = from_odds(a * value[c]);
      sum += members[c] * p;
      slope += members[c] * p * (1 - p);
    }
    const double off = count - sum;
    if (std::fabs(off) <= 1e-9 * count || slope <= 0) break;
    a *= std::exp(std::clamp(off / slope, -1.0, 1.0));
  }
  return std::min(a, largest_value);
}

int level_of(double value) {
  const auto level =
      static_cast<int>(std::floor(std::log2(value) * levels_an_octave)) - lowest_octave * levels_an_octave;
  return std::clamp(level, 0, octaves * levels_an_octave - 1);
}

double bottom_of(int level) {
  return std::exp2(static_cast<double>(level) / levels_an_octave + lowest_octave);
}

}  // namespace

std::uint8_t degree_class(std::int64_t degree) {
  if (degree < 16) return static_cast<std::uint8_t>(degree);
  const int octave = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(degree))) - 1;
  return static_cast<std::uint8_t>(16 + (octave - 4) * 4 + ((degree >> (octave - 2)) & 3));
}

HoldoutModel::HoldoutModel(const Communicator& comm, const Dataset& dataset, std::span<const std::int32_t> segment,
                           std::int64_t segments, const SegmentTally& trained)
    : comm_(comm) {
  comm_.attempt([&] { read_pairs(dataset); });
  plan_.emplace(comm_, dataset.items.distribution, items_.values);
  total_ = comm_.sum(held_begin_.back() - held_begin_.front());
  weigh_items(trained);
  weigh_users(segment, segments);
}

std::span<const std::uint32_t> HoldoutModel::trained(std::int64_t user) const {
  return list_of(std::span<const std::uint32_t>(items_.place), trained_begin_, user);
}

std::span<const std::uint32_t> HoldoutModel::held_out(std::int64_t user) const {
  return list_of(std::span<const std::uint32_t>(items_.place), held_begin_, user);
}

std::span<const std::int64_t> HoldoutModel::users_of(std::int64_t segment) const {
  return std::span<const std::int64_t>(users_of_).subspan(segment * levels(), levels());
}

void HoldoutModel::read_pairs(const Dataset& dataset) {
  const auto& train = dataset.interactions;
  const auto& held = dataset.holdout;
  COHORT_CHECK(train.rows() == held.rows());
  std::vector<std::int64_t> list(train.other);
  trained_begin_ = train.row_begin;
  held_begin_.assign(1, train.size());
  for (std::size_t user = 0; user < static_cast<std::size_t>(train.rows()); ++user) {
    auto known = train.other.begin() + train.row_begin[user];
    const auto end = train.other.begin() + train.row_begin[user + 1];
    for (const auto i : places_of(held.row_begin, user)) {
      const auto item = held.other[i];
      if (item < 0) continue;
      known = std::lower_bound(known, end, item);
      if (known == end || *known != item) list.push_back(item);
    }
    held_begin_.push_back(std::ssize(list));
  }
  items_ = distinct_of(list);
}

void HoldoutModel::weigh_items(const SegmentTally& trained) {
  std::vector<std::int64_t> degree;
  std::vector<std::int64_t> held(items_.values.size(), 0);
  comm_.attempt([&] {
    for (std::int64_t row = 0; row < trained.rows(); ++row) degree.push_back(trained.total(row));
    for (auto i = static_cast<std::size_t>(held_begin_.front()); i < static_cast<std::size_t>(held_begin_.back()); ++i)
      ++held[items_.place[i]];
  });
  plan_->add(std::span<const std::int64_t>(held), std::span<std::int64_t>(degree));
  DegreeClasses items;
  for (const auto d : degree) {
    items.add(d);
    class_of_row_.push_back(degree_class(d));
  }
  DegreeClasses users;
  for (std::size_t user = 0; user + 1 < trained_begin_.size(); ++user) {
    users.add(places_of(trained_begin_, user).size() + places_of(held_begin_, user).size());
  }
  items.sum(comm_);
  users.sum(comm_);
  class_at_place_ = plan_->fetch(std::span<const std::uint8_t>(class_of_row_));
  class_value_ = item_values(users, items);
  class_items_ = std::move(items.members);
}

void HoldoutModel::weigh_users(std::span<const std::int32_t> segment, std::int64_t segments) {
  // Classes without items cost time only.
  std::vector<std::size_t> used;
  std::vector<std::size_t> slot(classes, 0);
  std::vector<double> value;
  for (std::size_t c = 0; c < classes; ++c) {
    if (class_value_[c] <= 0) continue;
    slot[c] = used.size();
    used.push_back(c);
    value.push_back(class_value_[c]);
  }
  std::vector<double> user(segment.size(), 0.0);
  comm_.attempt([&] { level_.assign(segment.size(), -1); });
  ParallelFailure failure;
#pragma omp parallel
  {
    std::vector<double> left;
#pragma omp for schedule(dynamic, 256)
    for (std::size_t u = 0; u < segment.size(); ++u) {
      const auto count = held_out(static_cast<std::int64_t>(u)).size();
      if (count == 0) continue;
      failure.run([&] {
        left.resize(used.size());
        for (std::size_t k = 0; k < used.size(); ++k) left[k] = static_cast<double>(class_items_[used[k]]);
        for (const auto place : trained(static_cast<std::int64_t>(u))) left[slot[class_at_place_[place]]] -= 1;
        user[u] = user_value(left, value, static_cast<double>(count));
        level_[u] = level_of(user[u]);
      });
    }
  }
  comm_.attempt([&] { failure.rethrow(); });
  // The mean of a level in fixed point: how far above its bottom its users are.
  constexpr int bits = 32;
  constexpr auto all_levels = std::size_t{octaves} * levels_an_octave;
  std::vector<std::int64_t> members(all_levels, 0);
  std::vector<std::int64_t> above(all_levels, 0);
  for (std::size_t u = 0; u < segment.size(); ++u) {
    if (level_[u] < 0) continue;
    ++members[level_[u]];
    const double ratio = std::clamp(user[u] / bottom_of(level_[u]), 1.0, 2.0);
    above[level_[u]] += static_cast<std::int64_t>(std::ldexp(ratio - 1, bits));
  }
  comm_.sum_in_place(std::span<std::int64_t>(members));
  comm_.sum_in_place(std::span<std::int64_t>(above));
  std::vector<std::int32_t> number(all_levels, -1);
  for (std::size_t level = 0; level < all_levels; ++level) {
    if (members[level] == 0) continue;
    number[level] = static_cast<std::int32_t>(level_value_.size());
    level_value_.push_back(
        bottom_of(static_cast<int>(level)) *
        (1 + std::ldexp(static_cast<double>(above[level]), -bits) / static_cast<double>(members[level])));
    all_users_.push_back(members[level]);
  }
  comm_.attempt([&] { users_of_.assign(segments * levels(), 0); });
  for (std::size_t u = 0; u < segment.size(); ++u) {
    if (level_[u] < 0) continue;
    level_[u] = number[level_[u]];
    ++users_of_[segment[u] * levels() + level_[u]];
  }
  comm_.sum_in_place(std::span<std::int64_t>(users_of_));
}

}  // namespace cohort
