#include "model/propagation.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

Propagation::Propagation(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, int threads,
                         HaloReach reach)
    : comm_(comm),
      graph_(graph),
      halo_(comm, graph.halo, graph.owned(), columns, reach),
      threads_(threads),
      exchange_(comm, columns) {
  COHORT_CHECK(threads >= 1 && halo_.ghost_row().size() == graph.ghost.size());
  comm.attempt([&] {
    boundary_done_.resize(graph.interior_begin.size() - 1);
    column_ = graph.adjacency.column;
    if (graph.ghost.empty()) return;
    mapped_column_ = graph.adjacency.column;
    for (auto& column : mapped_column_) {
      if (column.value >= graph.owned()) column = halo_.ghost_row()[column.value - graph.owned()];
    }
    column_ = mapped_column_;
  });
}

std::int64_t Propagation::most_entries_of_block() const {
  const auto& row_begin = graph_.adjacency.row_begin;
  std::int64_t most = 0;
  const auto look = [&](Rows rows, std::span<const std::int64_t> begin) {
    for (std::size_t shard = 0; shard + 1 < begin.size(); ++shard) {
      const auto part = rows.subspan(begin[shard], places_of(begin, shard).size());
      blocks_of([&](Rows block, int /*thread*/) {
        std::int64_t entries = 0;
        for (const LocalRow row : block) entries += places_of(row_begin, row.value).size();
        most = std::max(most, entries);
      })(part, 0);
    }
  };
  look(graph_.interior, graph_.interior_begin);
  look(graph_.boundary, graph_.boundary_begin);
  return most;
}

}  // namespace cohort
