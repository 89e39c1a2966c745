// What characterises each segment, as `profile` finds it and segments.h5 keeps it under /segments/profile. All of it is
// the same on all ranks: k segments times a few rows each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cohort {

/// A few numbered things a segment, best first: those of segment s are [row_begin[s], row_begin[s + 1]).
struct SegmentList {
  std::vector<std::int64_t> row_begin{0};  ///< k + 1
  std::vector<std::int64_t> id;
  std::vector<double> value;
};

/// Items or categories that segments have more than others, by lift: rows of segment s are [row_begin[s],
/// row_begin[s + 1]). Counts and lift are of what the graph was made from; the test looks at held-out interactions
/// only.
struct MarkTable {
  std::vector<std::int64_t> row_begin{0};    ///< k + 1
  std::vector<std::int64_t> item;            ///< items only: its number
  std::vector<std::string> attribute;        ///< categories only: of which attribute
  std::vector<std::string> name;             ///< the category, or the item's label, or its id
  std::vector<std::int64_t> count;           ///< users of the segment with it (categories of items: interactions)
  std::vector<std::int64_t> population;      ///< users with it in all (or interactions)
  std::vector<double> share;                 ///< count / users of the segment (or its interactions)
  std::vector<double> population_share;      ///< population / all users (or interactions)
  std::vector<double> lift;                  ///< share / population_share, smoothed (segment/profile.hpp)
  std::vector<std::int64_t> held_out;        ///< held-out interactions of the segment with it; absent: not tested
  std::vector<std::int64_t> held_out_total;  ///< of all segments
  std::vector<double> expected;              ///< of held_out_total, were the segments to mean nothing
  std::vector<double> p_value;               ///< one-sided
  std::vector<std::int32_t> marking;         ///< 1 where it is more than chance (Benjamini-Hochberg)

  std::int64_t rows() const { return row_begin.back(); }
};

/// User attributes that are numbers. A attributes; k x A row-major.
struct NumericProfiles {
  std::vector<std::string> name;          ///< A
  std::vector<double> population_mean;    ///< A
  std::vector<double> population_spread;  ///< A: standard deviation
  std::vector<std::int64_t> users;        ///< k x A: users of the segment with a value
  std::vector<double> mean;               ///< k x A; NaN: nobody has a value
  std::vector<double> deviation;          ///< k x A: (mean - population mean) in standard deviations; NaN: no spread
};

struct Profiles {
  std::vector<std::int64_t> interactions;    ///< k
  std::vector<std::int64_t> distinct_items;  ///< k
  std::vector<double> mean_interactions;     ///< k: a user
  std::vector<double> median_interactions;   ///< k
  std::vector<double> activity_share;        ///< one number: share of the variance of log activity between segments
  std::vector<double> first_time;            ///< k, absent without times; NaN: nobody has one
  std::vector<double> last_time;             ///< k
  std::vector<double> median_last_time;      ///< k: median over users of their last time
  std::vector<double> social_inside;         ///< k, absent without social edges: edges inside / pairs of its users
  std::vector<double> social_outside;        ///< k: edges to others / pairs of one of its users and another one
  SegmentList nearest;                       ///< segments by distance of the centroids
  SegmentList representative;                ///< users by distance to the centroid
  SegmentList border;                        ///< users by margin
  MarkTable items;
  MarkTable categories;       ///< of items
  MarkTable user_categories;  ///< of users; never tested
  NumericProfiles numeric;
  std::vector<std::string> description;     ///< k: one line in words
  std::vector<std::int64_t> tested;         ///< tests made: of items, of categories; 0: nothing was held out
  std::vector<std::string> attribute_file;  ///< tables of attributes that were used
  std::vector<std::string> attribute_sha256;
  std::vector<double> false_discovery_rate;  ///< one number: what the tests were held to, in each of the two families
};

}  // namespace cohort
