// The two pieces of testing whether something marks a segment: the tail of the hypergeometric distribution, and which
// of many tests to believe. Local.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cohort {

/// P(X >= hits) where X counts the marked among `draws` out of `population` without replacement, `marked` of them being
/// marked: Fisher's exact test, one-sided. 0 <= marked, draws <= population.
double hypergeometric_tail(std::int64_t hits, std::int64_t population, std::int64_t marked, std::int64_t draws);

/// Benjamini and Hochberg 1995, "Controlling the false discovery rate": 1 for each hypothesis rejected at `rate`, in
/// the order of p_values.
std::vector<std::int32_t> benjamini_hochberg(std::span<const double> p_values, double rate);

}  // namespace cohort
