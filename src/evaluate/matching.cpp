#include "evaluate/matching.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

constexpr std::int64_t unreached = std::numeric_limits<std::int64_t>::max();

// A pair costs minus its users. Every row may instead stay alone at no cost, in a column of its own that nobody else
// can have: column `columns + row`. Reduced costs, cost - row potential - column potential, are never negative and are
// zero in matched pairs.
class Matching {
 public:
  Matching(std::int32_t rows, std::span<const SegmentFlow> flows) : rows_(rows), flows_(flows) {
    begin_.assign(rows + 1, 0);
    for (const auto& flow : flows) {
      COHORT_CHECK(flow.from >= 0 && flow.from < rows && flow.to >= 0 && flow.users > 0);
      columns_ = std::max(columns_, flow.to + 1);
      ++begin_[flow.from + 1];
    }
    for (std::size_t r = 1; r < begin_.size(); ++r) begin_[r] += begin_[r - 1];
    const auto columns = static_cast<std::size_t>(columns_) + static_cast<std::size_t>(rows);
    row_potential_.assign(rows, 0);
    column_potential_.assign(columns, 0);
    row_of_.assign(columns, -1);
    column_of_.assign(rows, -1);
    distance_.assign(columns, unreached);
    before_.assign(columns, -1);
  }

  std::vector<std::int32_t> solve() {
    for (std::int32_t row = 0; row < rows_; ++row) match(row);
    std::vector<std::int32_t> result(rows_);
    std::ranges::transform(column_of_, result.begin(), [&](std::int32_t c) { return c < columns_ ? c : -1; });
    return result;
  }

 private:
  struct Reached {
    std::int64_t distance;
    bool taken;  // of equally near columns a free one comes first: it ends the search
    std::int32_t column;
    bool operator>(const Reached& other) const {
      return std::tie(distance, taken, column) > std::tie(other.distance, other.taken, other.column);
    }
  };

  template <class Visit>
  void visit_columns(std::int32_t row, Visit visit) const {
    for (const auto i : places_of(begin_, row)) {
      const auto& flow = flows_[i];
      visit(flow.to, -flow.users);
    }
    visit(columns_ + row, 0);
  }

  // Matches one more row: along a shortest path to a free column, every pair of the path gives way to the next.
  void match(std::int32_t start) {
    auto& potential = row_potential_[start];
    potential = unreached;
    visit_columns(start, [&](std::int32_t c, std::int64_t cost) {
      potential = std::min(potential, cost - column_potential_[c]);
    });
    std::priority_queue<Reached, std::vector<Reached>, std::greater<>> open;
    touched_.clear();
    settled_.clear();
    std::int32_t row = start;
    std::int64_t distance = 0;
    for (;;) {
      visit_columns(row, [&](std::int32_t c, std::int64_t cost) {
        const auto at = static_cast<std::size_t>(c);
        const auto through = distance + cost - row_potential_[row] - column_potential_[at];
        if (through >= distance_[at]) return;
        if (distance_[at] == unreached) touched_.push_back(c);
        distance_[at] = through;
        before_[at] = row;
        open.push({through, row_of_[at] >= 0, c});
      });
      auto next = open.top();
      open.pop();
      while (next.distance > distance_[next.column]) {
        next = open.top();
        open.pop();
      }
      distance = next.distance;
      const auto owner = row_of_[next.column];
      if (owner < 0) {
        move_potentials(start, distance);
        augment(start, next.column);
        break;
      }
      settled_.push_back(next.column);
      row = owner;
    }
    for (const auto c : touched_) distance_[c] = unreached;
  }

  void move_potentials(std::int32_t start, std::int64_t distance) {
    row_potential_[start] += distance;
    for (const auto c : settled_) {
      const auto at = static_cast<std::size_t>(c);
      column_potential_[at] += distance_[at] - distance;
      row_potential_[row_of_[at]] += distance - distance_[at];
    }
  }

  void augment(std::int32_t start, std::int32_t column) {
    for (;;) {
      const auto row = before_[column];
      const auto given_up = std::exchange(column_of_[row], column);
      row_of_[column] = row;
      if (row == start) return;
      column = given_up;
    }
  }

  std::int32_t rows_;
  std::int32_t columns_ = 0;  // without those of rows that stay alone
  std::span<const SegmentFlow> flows_;
  std::vector<std::int64_t> begin_;  // rows + 1: the flows of each
  std::vector<std::int64_t> row_potential_;
  std::vector<std::int64_t> column_potential_;
  std::vector<std::int32_t> row_of_;     // of a column; -1: free
  std::vector<std::int32_t> column_of_;  // of a row; -1: not yet matched
  std::vector<std::int64_t> distance_;   // of the search under way, by column
  std::vector<std::int32_t> before_;     // the row from which a column was reached
  std::vector<std::int32_t> touched_;    // columns reached
  std::vector<std::int32_t> settled_;    // columns whose distance is final, but for the last
};

}  // namespace

std::vector<std::int32_t> best_matching(std::int32_t count, std::span<const SegmentFlow> flows) {
  return Matching(count, flows).solve();
}

}  // namespace cohort
