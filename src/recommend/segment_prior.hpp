// How likely an item is in a segment: its popularity there, smoothed toward that in the whole population the more, the
// less the segment is known.
//
//   p(i)   = (n_i + 1) / (N + I)             n_i users of item i, N interactions, I items: add-one smoothing
//   p(i|s) = (n_si + m p(i)) / (n_s + m)     n_si, n_s the same in segment s
//
// p(i|s) is the posterior mean of a multinomial under a Dirichlet prior of mean p and strength m (MacKay and Peto, "A
// hierarchical Dirichlet language model", 1995); m counts interactions that a segment is given in advance. An infinite
// m makes every segment the population. m is chosen on validation pairs (recommend/blend.hpp).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "items/item_counts.hpp"

namespace cohort {

constexpr double no_segments = std::numeric_limits<double>::infinity();  ///< the smoothing that ignores segments

/// p(i). Local, as all below but where said.
double popularity(std::int64_t item_users, std::int64_t interactions, std::int64_t items);
/// p(i|s) from p(i), n_si, n_s and m.
double popularity_inside(double popularity, std::int64_t segment_users, std::int64_t in_segment, double smoothing);

/// log p(i|s) as an ItemPrior wants it, of this rank's `rows` of its block of items (ascending), up to a shift for each
/// segment: log p(i|s) = prior value - shift[s], where the value is log(p(i) + n_si / m).
struct LogPrior {
  std::vector<float> base;
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> row;  ///< an index into `rows`
  std::vector<float> value;
  std::vector<double> shift;  ///< log(1 + n_s / m); the same on all ranks
};
LogPrior log_prior(const ItemCounts& counts, std::span<const std::int32_t> rows, double smoothing);

/// Lists of items, best first, ties to the smaller item; the same on all ranks.
struct RankedLists {
  std::vector<std::int64_t> begin{0};  ///< lists + 1
  std::vector<std::int64_t> item;
  std::vector<float> score;
};

/// The `length` items of most users among this rank's `rows` of its block of items (ascending) and those of the other
/// ranks; score: n_i. One list. Collective.
RankedLists popular_items(const Communicator& comm, const ItemCounts& counts, std::span<const std::int32_t> rows,
                          std::int64_t length);
/// The length[s] items of largest p(i|s), compared in float64, a list for each segment; score: p(i|s). Collective.
RankedLists popular_inside(const Communicator& comm, const ItemCounts& counts, std::span<const std::int32_t> rows,
                           double smoothing, std::span<const std::int64_t> length);

}  // namespace cohort
