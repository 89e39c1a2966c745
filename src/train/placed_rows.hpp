// Rows of all owned nodes as an encoder hands them out and takes their gradient, interior and then boundary, and the
// same rows in their own order, shard by shard, which sums and products go by. For objectives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"

namespace cohort {

class PlacedRows {
 public:
  PlacedRows() = default;
  /// May throw bad_alloc. Local.
  PlacedRows(const ShardGraph& graph, std::int64_t columns)
      : place_(graph.owned()),
        by_place_(graph.local_rows(), columns),
        owned_(graph.owned(), columns),
        all_rows_{graph.interior, graph.interior_begin, graph.boundary, graph.boundary_begin},
        halo_(graph.halo) {
    std::int64_t place = 0;
    for (const auto& list : {graph.interior, graph.boundary}) {
      for (const LocalRow row : list) place_[row.value] = place++;
    }
    for (auto& row : halo_.send_rows) row = static_cast<std::int32_t>(place_[row]);
    for (auto row = graph.owned(); row < graph.local_rows(); ++row) {
      ghost_.push_back(LocalRow{static_cast<std::int32_t>(row)});
    }
  }

  MatrixView by_place() { return by_place_.view().slice(0, owned_.rows()); }
  /// by_place() as a gradient: neighbours on other ranks have a part in it. Valid as long as this.
  SparseGradient gradient() { return {all_rows_, ghost_, &halo_, by_place_.view()}; }
  MatrixView owned() { return owned_.view(); }
  /// From the one order into the other. Local.
  void to_owned() {
    for (std::int64_t row = 0; row < owned_.rows(); ++row) {
      std::copy_n(by_place_.row(place_[row]), owned_.stride(), owned_.row(row));
    }
  }
  void to_places() {
    for (std::int64_t row = 0; row < owned_.rows(); ++row) {
      std::copy_n(owned_.row(row), owned_.stride(), by_place_.row(place_[row]));
    }
  }

 private:
  std::vector<std::int64_t> place_;  ///< by owned row
  Matrix by_place_;
  Matrix owned_;
  RowSelection all_rows_;
  std::vector<LocalRow> ghost_;
  ExchangePlan halo_;  ///< between rows by place
};

}  // namespace cohort
