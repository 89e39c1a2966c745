// The columns that FilterRanking filters together, and their scores: for its own sources.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "recommend/filter_ranking.hpp"

namespace cohort {

/// What the two scores of an item count in a column with some weight.
struct FilterRanking::Factors {
  float of_filter = 0;
  float of_embedding = 0;

  float of(float filtered, float embedded) const { return of_filter * filtered + of_embedding * embedded; }
};

/// As all ranks see them but for what is said to be this rank's.
struct FilterRanking::Block {
  struct Entry {
    std::int64_t item;
    std::int32_t column;
    float value;
  };

  std::vector<std::int64_t> row;           ///< of this rank's columns, which follow each other
  std::vector<std::int64_t> column_begin;  ///< by rank
  std::vector<Entry> entries;
  std::vector<std::vector<std::int64_t>> excluded;  ///< by column
  Matrix embedding;                                 ///< of all columns
  std::vector<double> deviation;                    ///< of the embedding's scores
  std::vector<double> filter_deviation;

  std::int64_t columns() const { return column_begin.back(); }
  Factors factors(std::int64_t column, double beside) const;
};

/// Of some of this rank's items, made when they are asked for.
struct FilterRanking::Scores {
  explicit Scores(const Block& of) : block(of) {}

  const Block& block;
  std::int64_t column = 0;
  std::int64_t weight = 0;
  std::span<const std::int64_t> items;  ///< their numbers, ascending
  double beside = 0;                    ///< w, at the place `weight`
  std::span<const float> filtered;
  std::span<const float> embedded;
  std::span<float> room;

  std::span<float> make();
};

}  // namespace cohort
