// Some of a rank's owned rows: by shard for sums over them, by interior and boundary for what is propagated to them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "core/ragged.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"

namespace cohort {

struct RowSet {
  std::vector<LocalRow> rows;
  std::vector<std::int64_t> begin{0};
  std::vector<LocalRow> interior;
  std::vector<std::int64_t> interior_begin{0};
  std::vector<LocalRow> boundary;
  std::vector<std::int64_t> boundary_begin{0};

  RowSelection selection() const { return {interior, interior_begin, boundary, boundary_begin}; }
  std::span<const LocalRow> shard(std::int64_t k) const {
    return std::span<const LocalRow>(rows).subspan(begin[k], places_of(begin, static_cast<std::size_t>(k)).size());
  }
  std::int64_t shards() const { return std::ssize(begin) - 1; }
};

/// Those of which choose(row) is true. Local.
template <class Choose>
RowSet choose_rows(const ShardGraph& graph, Choose choose) {
  RowSet set;
  const auto keep = [&](std::span<const LocalRow> list, std::span<const std::int64_t> cuts, auto& kept,
                        auto& kept_begin) {
    for (std::size_t shard = 0; shard + 1 < cuts.size(); ++shard) {
      for (const LocalRow row : list.subspan(cuts[shard], cuts[shard + 1] - cuts[shard])) {
        if (choose(row)) kept.push_back(row);
      }
      kept_begin.push_back(std::ssize(kept));
    }
  };
  keep(graph.interior, graph.interior_begin, set.interior, set.interior_begin);
  keep(graph.boundary, graph.boundary_begin, set.boundary, set.boundary_begin);
  for (std::size_t shard = 0; shard + 1 < set.interior_begin.size(); ++shard) {
    const auto from = [&](const std::vector<LocalRow>& list, std::int64_t place) { return list.begin() + place; };
    std::merge(from(set.interior, set.interior_begin[shard]), from(set.interior, set.interior_begin[shard + 1]),
               from(set.boundary, set.boundary_begin[shard]), from(set.boundary, set.boundary_begin[shard + 1]),
               std::back_inserter(set.rows));
    set.begin.push_back(std::ssize(set.rows));
  }
  return set;
}

}  // namespace cohort
