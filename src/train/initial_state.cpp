#include "train/initial_state.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "kernels/spmm.hpp"
#include "model/propagation.hpp"

namespace cohort {

void InitialState::copy_into(std::span<Weight> weights) const {
  for (auto& weight : weights) {
    const auto found = replicated.find(weight.name);
    if (found == replicated.end()) continue;
    const auto& before = found->second;
    auto& value = weight.value;
    if (before.rows() != value.rows() || before.columns() != value.columns()) {
      throw InputError("train.initial: " + weight.name + " is " + std::to_string(before.rows()) + " x " +
                       std::to_string(before.columns()) + " there, but " + std::to_string(value.rows()) + " x " +
                       std::to_string(value.columns()) +
                       " here; input features, layers and segment.count must be those of the run that is followed");
    }
    value = copy_of(before.view());
  }
}

std::int64_t fill_from_neighbours(const Communicator& comm, const ShardGraph& graph, MatrixView rows,
                                  std::vector<char>& known, int threads) {
  // The last column counts the known ones among the neighbours.
  const auto columns = rows.columns;
  Propagation propagation(comm, graph, columns + 1, threads);
  auto from = propagation.matrix();
  Matrix sum;
  std::vector<float> ones;
  comm.attempt([&] {
    sum = Matrix(graph.owned(), columns + 1);
    ones.assign(graph.adjacency.value.size(), 1.0F);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      if (known[row] == 0) continue;
      std::ranges::copy(rows.at(row), from.row(row));
      from.row(row)[columns] = 1;
    }
  });
  auto entries = propagation.entries();
  entries.value = ones;
  propagation.over(from, propagation.all_rows(), [&](Propagation::Rows part, std::int64_t /*place*/) {
    spmm(entries, part, from.view(), {}, 1.0F, sum.view());
  });
  std::int64_t filled = 0;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const float neighbours = sum.row(row)[columns];
    if (known[row] != 0 || neighbours == 0) continue;
    for (std::int64_t c = 0; c < columns; ++c) rows.row(row)[c] = sum.row(row)[c] / neighbours;
    known[row] = 1;
    ++filled;
  }
  return comm.sum(filled);
}

}  // namespace cohort
