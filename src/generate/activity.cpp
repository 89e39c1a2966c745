#include "generate/activity.hpp"

#include <algorithm>
#include <cmath>

#include "comm/distribution.hpp"

namespace cohort {

Activity::Activity(const Communicator& comm, std::int64_t users, std::int64_t items, std::int64_t interactions)
    : items_(items) {
  // The sum grows with the scale; ranks add it up in even blocks, in integers. The largest scale whose sum is not above
  // `interactions`, to the last bit:
  const auto blocks = Distribution::even(users, comm.size());
  const auto sum_at = [&](double scale) {
    scale_ = scale;
    std::int64_t sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (auto r = blocks.begin(comm.rank()); r < blocks.end(comm.rank()); ++r) sum += plain_degree(r);
    return comm.sum(sum);
  };
  double low = 0;
  double high = 2 * static_cast<double>(items) * std::sqrt(static_cast<double>(users));  // all have all items
  if (sum_at(high) <= interactions) low = high;
  while (low < high) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (sum_at(middle) <= interactions ? low : high) = middle;
  }
  const auto left = interactions - sum_at(low);
  std::int64_t full = 0;
  for (auto r = blocks.begin(comm.rank()); r < blocks.end(comm.rank()); ++r) full += plain_degree(r) == items ? 1 : 0;
  raised_from_ = comm.sum(full);  // degrees descend, so the full ones come first
  raised_to_ = raised_from_ + left;
  COHORT_CHECK(left >= 0 && raised_to_ <= users);
}

std::int64_t Activity::plain_degree(std::int64_t rank) const {
  const double exact = scale_ / std::sqrt(static_cast<double>(rank + 1));
  return exact >= static_cast<double>(items_) ? items_ : std::max<std::int64_t>(1, static_cast<std::int64_t>(exact));
}

std::int64_t Activity::degree(std::int64_t rank) const {
  return plain_degree(rank) + (rank >= raised_from_ && rank < raised_to_ ? 1 : 0);
}

}  // namespace cohort
