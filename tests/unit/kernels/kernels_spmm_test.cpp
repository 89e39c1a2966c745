// Propagation against a plain loop of fused multiply-adds, to the bit, on every vector target.
#include <cmath>

#include "kernels/spmm.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

struct Graph {
  std::vector<std::int64_t> row_begin{0};
  std::vector<LocalRow> column;
  std::vector<float> value;
  SparseRows rows() const { return {row_begin, column, value}; }
};

/// Rows of 0 to 40 neighbours; every fifth is empty, the first and the last too.
Graph made_up_graph(std::int64_t rows, std::int64_t columns) {
  Graph graph;
  const CounterRandom random(7, Purpose::generate_interactions);
  for (std::int64_t row = 0; row < rows; ++row) {
    const bool empty = row % 5 == 0 || row == rows - 1;
    const std::uint64_t degree = empty ? 0 : random.below(41, static_cast<std::uint64_t>(row));
    for (std::uint64_t i = 0; i < degree; ++i) {
      const auto counter = static_cast<std::uint64_t>(row) * 64 + i;
      graph.column.push_back(
          LocalRow(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(columns), counter, 1))));
      graph.value.push_back(made_up(11, counter));
    }
    graph.row_begin.push_back(static_cast<std::int64_t>(graph.column.size()));
  }
  return graph;
}

/// Row by row, column by column, as the header says it. scale: of row r at r, and again from the start.
void reference(const Graph& graph, std::span<const LocalRow> rows, const Matrix& in, const Matrix* addend,
               const std::vector<float>& scale, Matrix& out) {
  for (const LocalRow row : rows) {
    for (std::int64_t column = 0; column < in.columns(); ++column) {
      float sum = addend != nullptr ? addend->row(row.value)[column] : 0.0F;
      for (std::int64_t e = graph.row_begin[row.value]; e < graph.row_begin[row.value + 1]; ++e) {
        const auto at = static_cast<std::size_t>(e);
        sum = std::fma(graph.value[at], in.row(graph.column[at].value)[column], sum);
      }
      out.row(row.value)[column] = scale[static_cast<std::size_t>(row.value) % scale.size()] * sum;
    }
  }
}

std::vector<LocalRow> all_rows(std::int64_t count) {
  std::vector<LocalRow> rows;
  for (std::int64_t row = 0; row < count; ++row) rows.emplace_back(static_cast<std::int32_t>(row));
  return rows;
}

class Spmm : public OnEachTarget {};

TEST_F(Spmm, EqualsTheReferenceToTheBit) {
  constexpr std::int64_t count = 97;
  const Graph graph = made_up_graph(count, 120);
  const std::vector<LocalRow> rows = all_rows(count);
  for (const std::int64_t columns : {1, 10, 16, 32, 33, 64, 100, 128, 200}) {
    SCOPED_TRACE(columns);
    const Matrix in = made_up_matrix(120, columns, 1);
    const Matrix addend = made_up_matrix(count, columns, 2);
    Matrix plain(count, columns);
    Matrix added(count, columns);
    reference(graph, rows, in, nullptr, {1.0F}, plain);
    reference(graph, rows, in, &addend, {0.25F}, added);
    std::vector<float> by_row;
    for (int row = 0; row < count; ++row)
      by_row.push_back(0.5F + std::fabs(made_up(12, static_cast<std::uint64_t>(row))));
    Matrix scaled(count, columns);
    reference(graph, rows, in, &addend, by_row, scaled);
    on_each_target([&] {
      Matrix out(count, columns);
      spmm(graph.rows(), rows, in.view(), ConstMatrixView{}, 1.0F, out.view());
      EXPECT_TRUE(same_bits(out, plain));
      spmm(graph.rows(), rows, in.view(), addend.view(), 0.25F, out.view());
      EXPECT_TRUE(same_bits(out, added));
      spmm(graph.rows(), rows, in.view(), addend.view(), std::span<const float>(by_row), out.view());
      EXPECT_TRUE(same_bits(out, scaled));
    });
  }
}

TEST_F(Spmm, ARowDependsOnNothingButItself) {
  constexpr std::int64_t count = 60;
  constexpr std::int64_t columns = 33;
  const Graph graph = made_up_graph(count, count);
  const Matrix in = made_up_matrix(count, columns, 3);
  std::vector<float> scale;
  for (int row = 0; row < count; ++row) scale.push_back(0.5F + std::fabs(made_up(12, static_cast<std::uint64_t>(row))));
  const std::span<const float> by_row(scale);
  Matrix whole(count, columns);
  reference(graph, all_rows(count), in, nullptr, scale, whole);
  std::vector<LocalRow> scattered;  // some runs, some gaps, descending pieces
  for (const int row : {59, 58, 3, 4, 5, 6, 10, 12, 0, 30, 31, 32, 33, 20}) scattered.emplace_back(row);
  on_each_target([&] {
    Matrix out(count, columns);
    spmm(graph.rows(), scattered, in.view(), ConstMatrixView{}, by_row, out.view());
    Matrix block(static_cast<std::int64_t>(scattered.size()), columns);
    spmm_block(graph.rows(), scattered, in.view(), ConstMatrixView{}, by_row, block.view());
    std::vector<bool> asked(count);
    for (std::size_t i = 0; i < scattered.size(); ++i) {
      const std::int64_t row = scattered[i].value;
      Matrix alone(count, columns);
      spmm(graph.rows(), std::span(scattered).subspan(i, 1), in.view(), ConstMatrixView{}, by_row, alone.view());
      for (std::int64_t column = 0; column < columns; ++column) {
        EXPECT_EQ(out.row(row)[column], whole.row(row)[column]);
        EXPECT_EQ(alone.row(row)[column], whole.row(row)[column]);
        EXPECT_EQ(block.row(static_cast<std::int64_t>(i))[column], whole.row(row)[column]);
      }
      asked[row] = true;
    }
    for (std::int64_t row = 0; row < count; ++row) {
      if (asked[row]) continue;
      for (const float x : out.view().at(row)) EXPECT_EQ(x, 0.0F);
    }
  });
}

TEST_F(Spmm, NoRowsAndOnlyEmptyRows) {
  Graph graph;
  graph.row_begin = {0, 0, 0, 0};
  const Matrix in = made_up_matrix(5, 16, 4);
  const Matrix addend = made_up_matrix(3, 16, 5);
  const std::vector<LocalRow> rows = all_rows(3);
  on_each_target([&] {
    Matrix out = made_up_matrix(3, 16, 6);
    spmm(graph.rows(), {}, in.view(), ConstMatrixView{}, 1.0F, out.view());
    EXPECT_TRUE(same_bits(out, made_up_matrix(3, 16, 6)));
    spmm(graph.rows(), rows, in.view(), ConstMatrixView{}, 1.0F, out.view());
    EXPECT_TRUE(same_bits(out, Matrix(3, 16)));
    spmm(graph.rows(), rows, in.view(), addend.view(), 1.0F, out.view());
    EXPECT_TRUE(same_bits(out, addend));
  });
}

}  // namespace
}  // namespace cohort::testing
