// The users of a segment against all users, by their attributes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "profile/profile_parts.hpp"
#include "profile/selection.hpp"

namespace cohort {

namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

// Adds numbers in fixed point, so that the sums are exact whatever the order. `bound`: no number is larger in size;
// `terms`: over all ranks.
class FixedSums {
 public:
  FixedSums(double bound, std::int64_t terms, std::size_t sums) : sum_(sums, 0) {
    const int room = 62 - static_cast<int>(std::ceil(std::log2(static_cast<double>(std::max<std::int64_t>(terms, 1)))));
    exponent_ = room - (bound > 0 ? std::ilogb(bound) + 1 : 0);
  }
  void add(std::size_t place, double value) {
    sum_[place] += static_cast<std::int64_t>(std::nearbyint(std::ldexp(value, exponent_)));
  }
  /// Collective.
  std::vector<double> totals(const Communicator& comm) {
    comm.sum_in_place(std::span<std::int64_t>(sum_));
    std::vector<double> result;
    for (const auto sum : sum_) result.push_back(std::ldexp(static_cast<double>(sum), -exponent_));
    return result;
  }

 private:
  std::vector<std::int64_t> sum_;
  int exponent_ = 0;
};

double quotient(double sum, std::int64_t count) {
  return count > 0 ? sum / static_cast<double>(count) : not_known;
}

// One attribute; the k values of each result follow each other.
struct NumericColumn {
  double mean = not_known;
  double spread = not_known;
  std::vector<std::int64_t> users;
  std::vector<double> segment_mean;
};

NumericColumn numeric_column(const Communicator& comm, std::span<const double> value,
                             std::span<const std::int32_t> segment, std::int64_t segments) {
  std::vector<std::int32_t> known(segment.begin(), segment.end());
  double largest = 0;
  for (std::size_t user = 0; user < known.size(); ++user) {
    if (!std::isfinite(value[user])) {
      known[user] = -1;
    } else {
      largest = std::max(largest, std::fabs(value[user]));
    }
  }
  largest = comm.max(largest);
  NumericColumn column;
  column.users = count_by_segment(comm, known, segments);
  std::int64_t users = 0;
  for (const auto count : column.users) users += count;
  FixedSums sums(largest, users, static_cast<std::size_t>(segments) + 1);
  for (std::size_t user = 0; user < known.size(); ++user) {
    if (known[user] < 0) continue;
    sums.add(static_cast<std::size_t>(known[user]), value[user]);
    sums.add(static_cast<std::size_t>(segments), value[user]);
  }
  const auto totals = sums.totals(comm);
  column.mean = quotient(totals.back(), users);
  for (std::size_t s = 0; s < column.users.size(); ++s)
    column.segment_mean.push_back(quotient(totals[s], column.users[s]));
  // In units of the largest number, whose square may be beyond any.
  const double unit = largest > 0 ? largest : 1;
  FixedSums squares(4, users, 1);
  for (std::size_t user = 0; user < known.size(); ++user) {
    if (known[user] < 0) continue;
    const double off = value[user] / unit - column.mean / unit;
    squares.add(0, off * off);
  }
  column.spread = unit * std::sqrt(quotient(squares.totals(comm)[0], users));
  return column;
}

}  // namespace

void profile_user_attributes(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                             Profiles& profiles) {
  const auto& segments = *input.segments;
  const auto count = std::ssize(segments.size);
  auto& table = profiles.user_categories;
  table.row_begin.assign(count + 1, 0);
  if (!input.user_attributes) return;

  auto& numeric = profiles.numeric;
  const auto& columns = input.user_attributes->numeric;
  const auto attributes = columns.size();
  numeric.users.resize(attributes * static_cast<std::size_t>(count));
  numeric.mean.resize(attributes * static_cast<std::size_t>(count));
  numeric.deviation.resize(attributes * static_cast<std::size_t>(count));
  for (std::size_t a = 0; a < attributes; ++a) {
    const auto column = numeric_column(comm, columns[a].value, segments.segment, count);
    numeric.name.push_back(columns[a].name);
    numeric.population_mean.push_back(column.mean);
    numeric.population_spread.push_back(column.spread);
    for (std::size_t s = 0; s < static_cast<std::size_t>(count); ++s) {
      const auto place = s * attributes + a;
      numeric.users[place] = column.users[s];
      numeric.mean[place] = column.segment_mean[s];
      numeric.deviation[place] = column.spread > 0 ? (column.segment_mean[s] - column.mean) / column.spread : not_known;
    }
  }

  // Users of whom an attribute says nothing are left out of its shares.
  std::vector<LiftRows> listed;
  std::vector<LiftBase> bases;
  for (const auto& attribute : input.user_attributes->category) {
    std::vector<std::int32_t> known(segments.segment);
    for (std::size_t user = 0; user < known.size(); ++user) {
      if (attribute.row_begin[user] == attribute.row_begin[user + 1]) known[user] = -1;
    }
    LiftBase base{count_by_segment(comm, known, count), 0};
    for (const auto users : base.of_segment) base.total += users;
    listed.push_back(highest_lift(comm, tally_users(comm, attribute, segments.segment, count), base, options));
    bases.push_back(std::move(base));
  }
  table.row_begin.assign(1, 0);
  for (std::int64_t s = 0; s < count; ++s) {
    for (std::size_t a = 0; a < listed.size(); ++a) {
      const auto& attribute = input.user_attributes->category[a];
      add_lift_rows(listed[a], bases[a], s, table);
      for (auto i = static_cast<std::size_t>(listed[a].row_begin[s]);
           i < static_cast<std::size_t>(listed[a].row_begin[s + 1]); ++i) {
        table.attribute.push_back(attribute.name);
        table.name.push_back(attribute.categories[listed[a].rows[i].feature]);
      }
    }
    table.row_begin.push_back(std::ssize(table.lift));
  }
}

}  // namespace cohort
