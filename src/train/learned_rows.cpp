#include "train/learned_rows.hpp"

#include <algorithm>

#include "core/random.hpp"

namespace cohort {

LearnedRows::LearnedRows(const Communicator& comm, const Propagation& propagation)
    : graph_(propagation.graph()), rows_(propagation.matrix()) {
  comm.attempt([&] {
    first_moment_ = Matrix(graph_.owned(), propagation.columns());
    second_moment_ = Matrix(graph_.owned(), propagation.columns());
  });
}

void LearnedRows::initialise(std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::embedding_init);
  const MatrixView rows = rows_.view();
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < graph_.owned(); ++row) {
    const auto node = static_cast<std::uint64_t>(graph_.node[row].value);
    const auto values = rows.at(row);
    for (std::size_t column = 0; column < values.size(); column += 2) {
      const auto pair = random.normal(node, static_cast<std::uint32_t>(column / 2));
      values[column] = static_cast<float>(0.1 * pair[0]);
      if (column + 1 < values.size()) values[column + 1] = static_cast<float>(0.1 * pair[1]);
    }
  }
}

void LearnedRows::set(ConstMatrixView rows) {
  std::copy_n(rows.data, rows.rows * rows.stride, rows_.view().data);
}

void LearnedRows::set(ConstMatrixView rows, std::span<const char> known) {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    if (known[row] != 0) std::copy_n(rows.row(row), rows.stride, rows_.row(row));
  }
}

TrainingState LearnedRows::state() {
  return {
      {{layer_zero_rows, rows_.view()}, {"adam/first", first_moment_.view()}, {"adam/second", second_moment_.view()}},
      {},
      {{"adam/steps", &steps_}}};
}

void LearnedRows::update(const AdamStep& adam, std::span<const float> decay, std::span<const LocalRow> rows,
                         MatrixView gradient) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float factor = decay[rows[i].value];
    if (factor != 0) {
      add_scaled(factor, rows_.row(rows[i].value), gradient.row(static_cast<std::int64_t>(i)), gradient.stride);
    }
  }
  for (std::size_t i = 0; i < rows.size();) {
    const std::int64_t row = rows[i].value;
    const std::size_t first = i++;
    while (i < rows.size() && rows[i].value == rows[i - 1].value + 1) ++i;
    adam_update(adam, gradient.row(static_cast<std::int64_t>(first)), rows_.row(row), first_moment_.row(row),
                second_moment_.row(row), static_cast<std::int64_t>(i - first) * gradient.stride);
  }
}

}  // namespace cohort
