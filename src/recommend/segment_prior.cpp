#include "recommend/segment_prior.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/ragged.hpp"
#include "items/best_of_all.hpp"

namespace cohort {

namespace {

struct Candidate {
  double score;
  std::int64_t item;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
  }
};

void keep_best(std::vector<Candidate>& candidates, std::int64_t length) {
  const auto kept = std::min(std::ssize(candidates), length);
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end());
  candidates.resize(kept);
}

// Candidates that one round holds, at most, unless one list has more.
constexpr std::int64_t round_candidates = std::int64_t{1} << 22;

// Joins every rank's best of each list: best_of(l) gives this rank's length[l] best, or all. Collective.
RankedLists join(const Communicator& comm, std::span<const std::int64_t> length,
                 const std::function<std::vector<Candidate>(std::int64_t)>& best_of) {
  RankedLists lists;
  for (std::int64_t first = 0; first < std::ssize(length);) {
    std::int64_t last = first;
    for (std::int64_t candidates = 0; last < std::ssize(length); ++last) {
      candidates += length[last];
      if (last > first && candidates > round_candidates) break;
    }
    std::vector<std::vector<Candidate>> mine;
    comm.attempt([&] {
      for (auto l = first; l < last; ++l) mine.push_back(best_of(l));
    });
    const auto best = best_of_all(comm, std::move(mine), length.subspan(first, last - first));
    comm.attempt([&] {
      const auto before = lists.begin.back();
      for (const auto& candidate : best.entries) {
        lists.item.push_back(candidate.item);
        lists.score.push_back(static_cast<float>(candidate.score));
      }
      for (const auto begin : std::span(best.row_begin).subspan(1)) lists.begin.push_back(before + begin);
    });
    first = last;
  }
  return lists;
}

}  // namespace

double popularity(std::int64_t item_users, std::int64_t interactions, std::int64_t items) {
  return static_cast<double>(item_users + 1) / static_cast<double>(interactions + items);
}

double popularity_inside(double popularity, std::int64_t segment_users, std::int64_t in_segment, double smoothing) {
  if (std::isinf(smoothing)) return popularity;
  return (static_cast<double>(segment_users) + smoothing * popularity) / (static_cast<double>(in_segment) + smoothing);
}

LogPrior log_prior(const ItemCounts& counts, std::span<const std::int32_t> rows, double smoothing) {
  const auto p = [&](std::int32_t row) {
    return popularity(counts.users[row], counts.interactions, counts.blocks.total());
  };
  LogPrior prior;
  for (const auto row : rows) prior.base.push_back(static_cast<float>(std::log(p(row))));
  for (std::size_t s = 0; s < counts.in_segment.size(); ++s) {
    // Entries and rows ascend, so one walk over both finds what is in both.
    auto at = rows.begin();
    for (auto k = counts.begin[s]; k < counts.begin[s + 1] && !std::isinf(smoothing); ++k) {
      const auto row = counts.row[k];
      while (at != rows.end() && *at < row) ++at;
      if (at == rows.end()) break;
      if (*at != row) continue;
      const auto users = static_cast<double>(counts.segment_users[k]);
      prior.row.push_back(static_cast<std::int32_t>(at - rows.begin()));
      prior.value.push_back(static_cast<float>(std::log(p(row) + users / smoothing)));
    }
    prior.begin.push_back(std::ssize(prior.row));
    prior.shift.push_back(std::log1p(static_cast<double>(counts.in_segment[s]) / smoothing));
  }
  return prior;
}

RankedLists popular_items(const Communicator& comm, const ItemCounts& counts, std::span<const std::int32_t> rows,
                          std::int64_t length) {
  const auto first = counts.blocks.begin(comm.rank());
  return join(comm, std::span<const std::int64_t>(&length, 1), [&](std::int64_t) {
    std::vector<Candidate> candidates;
    for (const auto row : rows) {
      candidates.push_back({static_cast<double>(counts.users[row]), first + row});
    }
    keep_best(candidates, length);
    return candidates;
  });
}

RankedLists popular_inside(const Communicator& comm, const ItemCounts& counts, std::span<const std::int32_t> rows,
                           double smoothing, std::span<const std::int64_t> length) {
  COHORT_CHECK(length.size() == counts.in_segment.size());
  const auto first = counts.blocks.begin(comm.rank());
  const auto users = [&](std::int32_t row) { return counts.users[row]; };
  std::vector<char> eligible;
  std::vector<char> inside;
  // Items that nobody of the segment has stand in the order of the population, so its beginning is enough of them.
  std::vector<std::int32_t> by_users;
  comm.attempt([&] {
    inside.assign(counts.users.size(), 0);
    eligible.assign(counts.users.size(), 0);
    for (const auto row : rows) eligible[row] = 1;
    by_users.assign(rows.begin(), rows.end());
    std::ranges::stable_sort(by_users, [&](std::int32_t a, std::int32_t b) { return users(a) > users(b); });
  });
  return join(comm, length, [&](std::int64_t s) {
    const auto at = static_cast<std::size_t>(s);
    const auto score = [&](std::int32_t row, std::int64_t segment_users) {
      return popularity_inside(popularity(users(row), counts.interactions, counts.blocks.total()), segment_users,
                               counts.in_segment[at], smoothing);
    };
    const auto entries = std::span(counts.row).subspan(counts.begin[at], places_of(counts.begin, at).size());
    std::vector<Candidate> candidates;
    for (std::size_t e = 0; e < entries.size(); ++e) {
      const auto row = entries[e];
      inside[row] = 1;
      if (!eligible[row]) continue;
      candidates.push_back({score(row, counts.segment_users[counts.begin[at] + e]), first + row});
    }
    std::int64_t others = 0;
    for (auto row = by_users.begin(); row != by_users.end() && others < length[at]; ++row) {
      if (inside[(*row)]) continue;
      candidates.push_back({score(*row, 0), first + *row});
      ++others;
    }
    for (const auto row : entries) inside[row] = 0;
    keep_best(candidates, length[at]);
    return candidates;
  });
}

}  // namespace cohort
