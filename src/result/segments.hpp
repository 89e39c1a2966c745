// The result of the program: segments, and what was found out about them. segments.h5 keeps it
// (store/segments_file.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "result/levels.hpp"
#include "result/profiles.hpp"
#include "result/provenance.hpp"
#include "result/recommendations.hpp"

namespace cohort {

/// The segments of a population, in blocks of users and of items in the dictionary's order.
struct Segments {
  std::vector<std::int32_t> segment;     ///< of this rank's block of users
  std::vector<float> distance;           ///< to the centroid
  std::vector<float> margin;             ///< distance to the second nearest minus to the nearest
  std::vector<float> map;                ///< two a user: along the principal components of all users' embeddings
  Matrix users;                          ///< embedding of this rank's block of users
  Matrix items;                          ///< of items; no rows where the graph has none
  Matrix centroid;                       ///< k x d, the same on all ranks
  std::vector<std::int64_t> size;        ///< k, the same on all ranks
  std::vector<std::int64_t> number;      ///< k, ascending: what each is called; empty: as its row
  std::optional<Succession> succession;  ///< where they follow others; there are numbers then
  std::vector<double> loss;              ///< by epoch, the same on all ranks
  std::vector<double> inertia;           ///< by iteration of the run that was kept, the same on all ranks
  std::vector<SegmentLevel> levels;      ///< above these segments, which are the finest level; the coarsest first
};

/// What the segments of a level are called. level: 0 is the coarsest, levels.size() the finest.
inline const std::vector<std::int64_t>& numbers_at(const Segments& segments, std::size_t level) {
  return level == segments.levels.size() ? segments.number : segments.levels[level].number;
}

/// What new users are folded in with (segment/fold_in.hpp).
struct FoldInTable {
  Matrix rows;                      ///< of this rank's block of items x d; zero where an item has no training users
  std::vector<std::int64_t> users;  ///< training users of the items
};

struct SegmentsFile {
  IdTable users;  ///< in the same blocks as the rows of `segments`
  IdTable items;  ///< total 0 where the graph has none
  Segments segments;
  std::optional<FoldInTable> fold_in;              ///< where the graph has items
  std::optional<Recommendations> recommendations;  ///< once `recommend` has run
  std::optional<Profiles> profiles;                ///< once `profile` has run
  std::vector<Additions> additions;                ///< and there are levels: from the second to the finest
  std::int64_t epochs = 0;
  std::int64_t shards = 0;
  Provenance provenance;
  History history;
};

/// Who is in which segment: the part of the file that is needed to compare two.
struct UserSegments {
  IdTable users;                      ///< in even blocks
  std::vector<std::int32_t> segment;  ///< of this rank's block of users
  std::vector<std::int64_t> size;     ///< k, the same on all ranks
  std::vector<std::int64_t> number;   ///< as in Segments
  std::int64_t largest_number = 0;    ///< that any segment ever had
};

}  // namespace cohort
